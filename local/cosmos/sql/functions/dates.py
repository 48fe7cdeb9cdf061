"""Date and time functions over ISO 8601 text, exact to 100 nanoseconds.

Inside, a moment is a whole number of ticks of 100 ns since 1970-01-01T00:00:00Z.
"""

import datetime as dt
import re
from typing import Any, Final

from local.cosmos.sql.functions.registry import NUMBERS, STRINGS, function
from local.cosmos.sql.values import UNDEFINED, number

_TEXT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?)?)?(Z|[+-]\d\d:\d\d)?\Z", re.ASCII
)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND: Final = 10_000_000
_FIRST: Final = -62_135_596_800 * _SECOND
_LAST: Final = 253_402_300_800 * _SECOND - 1

_NAMES: Final = {
    "year": ("year", "yyyy", "yy"),
    "month": ("month", "mm", "m"),
    "weekday": ("weekday", "dw", "w"),
    "day": ("day", "dd", "d"),
    "hour": ("hour", "hh"),
    "minute": ("minute", "mi", "n"),
    "second": ("second", "ss", "s"),
    "millisecond": ("millisecond", "ms"),
    "microsecond": ("microsecond", "mcs"),
    "nanosecond": ("nanosecond", "ns"),
}
_PARTS: Final = {alias: part for part, aliases in _NAMES.items() for alias in aliases}
_TICKS: Final = {
    "day": 86_400 * _SECOND,
    "hour": 3_600 * _SECOND,
    "minute": 60 * _SECOND,
    "second": _SECOND,
    "millisecond": _SECOND // 1_000,
    "microsecond": _SECOND // 1_000_000,
}


def parse_date_time(text: str) -> int | None:
    """Ticks of an ISO 8601 text, or None when it is none."""
    match = _TEXT.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=dt.UTC
        )
    except ValueError:
        return None
    ticks = _whole_seconds(moment) * _SECOND + int((fraction or "0").ljust(7, "0"))
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 3_600 + int(zone[4:6]) * 60) * _SECOND
        ticks -= offset if zone[0] == "+" else -offset
    return ticks


def format_date_time(ticks: int) -> Any:
    """ISO 8601 text with seven digits of a second, or undefined outside the years 1 to 9999."""
    if not _FIRST <= ticks <= _LAST:
        return UNDEFINED
    seconds, fraction = divmod(ticks, _SECOND)
    moment = _EPOCH + dt.timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:07d}Z".rjust(28, "0")


def is_date_time(value: Any) -> bool:
    """Whether a value is a text that the date functions understand."""
    return isinstance(value, str) and parse_date_time(value) is not None


def _whole_seconds(moment: dt.datetime) -> int:
    difference = moment - _EPOCH
    return difference.days * 86_400 + difference.seconds


def _moment(ticks: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(seconds=ticks // _SECOND)


def _now() -> int:
    difference = dt.datetime.now(dt.UTC) - _EPOCH
    return (difference.days * 86_400 + difference.seconds) * _SECOND + difference.microseconds * 10


for _suffix in ("", "STATIC"):
    function(f"GETCURRENTDATETIME{_suffix}")(lambda: format_date_time(_now()))
    function(f"GETCURRENTTIMESTAMP{_suffix}")(lambda: _now() // _TICKS["millisecond"])
    function(f"GETCURRENTTICKS{_suffix}")(lambda: number(_now()))


@function("DATETIMEADD", STRINGS, NUMBERS, STRINGS)
def add(part: str, amount: float, text: str) -> Any:
    """A moment moved by a number of parts; days past the end of a month become its last day."""
    ticks, unit = parse_date_time(text), _PARTS.get(part.lower())
    if ticks is None or unit is None or unit == "weekday" or abs(amount) > 1e15:
        return UNDEFINED
    count = int(amount)
    if unit in {"year", "month"}:
        return _add_months(ticks, count * 12 if unit == "year" else count)
    return format_date_time(ticks + (count // 100 if unit == "nanosecond" else count * _TICKS[unit]))


def _add_months(ticks: int, months: int) -> Any:
    if not _FIRST <= ticks <= _LAST:
        return UNDEFINED
    moment = _moment(ticks)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9998:
        return UNDEFINED
    last_day = (dt.date(year + month // 11, (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    moved = moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))
    return format_date_time(_whole_seconds(moved) * _SECOND + ticks % _SECOND)


@function("DATETIMEDIFF", STRINGS, STRINGS, STRINGS)
def difference(part: str, start: str, end: str) -> Any:
    """How many boundaries of a part lie between two moments; negative when the end is earlier."""
    first, last, unit = parse_date_time(start), parse_date_time(end), _PARTS.get(part.lower())
    if first is None or last is None or unit is None or unit == "weekday":
        return UNDEFINED
    if unit in {"year", "month"}:
        a, b = _moment(first), _moment(last)
        return b.year - a.year if unit == "year" else (b.year - a.year) * 12 + b.month - a.month
    if unit == "nanosecond":
        return number((last - first) * 100)
    return number(last // _TICKS[unit] - first // _TICKS[unit])


@function("DATETIMEPART", STRINGS, STRINGS)
def part_of(part: str, text: str) -> Any:
    """One part of a moment as a number; Sunday is weekday 1."""
    ticks, unit = parse_date_time(text), _PARTS.get(part.lower())
    if ticks is None or unit is None or not _FIRST <= ticks <= _LAST:
        return UNDEFINED
    moment, fraction = _moment(ticks), ticks % _SECOND
    if unit == "weekday":
        return moment.isoweekday() % 7 + 1
    fractions = {"millisecond": fraction // 10_000, "microsecond": fraction // 10, "nanosecond": fraction * 100}
    return fractions[unit] if unit in fractions else getattr(moment, unit)


@function("DATETIMEBIN", STRINGS, STRINGS, NUMBERS, STRINGS, optional=2)
def bin_of(text: str, part: str, size: float = 1, origin: str = "1970-01-01T00:00:00.0000000Z") -> Any:
    """A moment rounded down to a multiple of a part counted from the origin."""
    ticks, start, unit = parse_date_time(text), parse_date_time(origin), _PARTS.get(part.lower())
    if ticks is None or start is None or unit not in _TICKS or size < 1:
        return UNDEFINED
    width = int(size) * _TICKS[unit]
    return format_date_time(start + (ticks - start) // width * width)


@function("DATETIMEFROMPARTS", *[NUMBERS] * 7, optional=4)
def from_parts(*parts: float) -> Any:
    """A moment from year, month, day, hour, minute, second and fraction in 100 ns."""
    year, month, day, hour, minute, second, fraction = [int(part) for part in parts] + [0] * (7 - len(parts))
    if any(part != int(part) for part in parts) or not 0 <= fraction < _SECOND:
        return UNDEFINED
    try:
        moment = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return UNDEFINED
    return format_date_time(_whole_seconds(moment) * _SECOND + fraction)


@function("DATETIMETOTICKS", STRINGS)
def to_ticks(text: str) -> Any:
    """Ticks of 100 ns since 1970."""
    ticks = parse_date_time(text)
    return UNDEFINED if ticks is None else number(ticks)


@function("TICKSTODATETIME", NUMBERS)
def from_ticks(ticks: float) -> Any:
    """The moment of a number of ticks since 1970."""
    return format_date_time(int(ticks))


@function("DATETIMETOTIMESTAMP", STRINGS)
def to_timestamp(text: str) -> Any:
    """Milliseconds since 1970."""
    ticks = parse_date_time(text)
    return UNDEFINED if ticks is None else ticks // _TICKS["millisecond"]


@function("TIMESTAMPTODATETIME", NUMBERS)
def from_timestamp(milliseconds: float) -> Any:
    """The moment of a number of milliseconds since 1970."""
    return format_date_time(int(milliseconds) * _TICKS["millisecond"])
