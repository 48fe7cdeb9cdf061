"""NCRONTAB expressions: five or six fields, `{second} {minute} {hour} {day} {month} {day-of-week}`.

As in the NCrontab library that the platform uses, a day must satisfy both the day and the day-of-week field, a range
may be written either way round, and `5/15` means from 5 on, every 15.
"""

import datetime as dt
import re
from dataclasses import dataclass

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_PART = re.compile(r"(\*|[^-/]+)(?:-([^-/]+))?(?:/(\d{1,4}))?")
# A leap day on a given day of the week recurs within 40 years, also across a century without a leap year.
_HORIZON_YEARS = 41


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        values: set[int] = set()
        for part in text.split(","):
            values |= self._part(part)
        return frozenset(values)

    def _part(self, text: str) -> set[int]:
        match = _PART.fullmatch(text)
        if match is None or (match[1] == "*" and match[2]):
            raise ValueError(f'"{text}" is not a valid {self.name}')
        step = int(match[3] or 1)
        if step < 1:
            raise ValueError(f'"{text}": a step is at least 1')
        if match[1] == "*":
            first, last = self.least, self.most
        else:
            first = self._value(match[1])
            last = self._value(match[2]) if match[2] else (self.most if match[3] else first)
        first, last = sorted((first, last))
        return set(range(first, last + 1, step))

    def _value(self, text: str) -> int:
        if text.isdecimal() and len(text) <= 2:
            value = int(text)
            if self.least <= value <= self.most:
                return value
            raise ValueError(f'"{text}" is no {self.name}; it goes from {self.least} to {self.most}')
        for position, name in enumerate(self.names):
            if len(text) >= 3 and name.startswith(text.lower()):
                return self.least + position
        raise ValueError(f'"{text}" is not a valid {self.name}')


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer is due, in UTC."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, time: dt.datetime) -> dt.datetime:
        """The first occurrence later than `time`; both in UTC.

        Raises:
            ValueError: There is none; `parse` refuses such expressions.
        """
        start = time.replace(microsecond=0) + dt.timedelta(seconds=1)
        day = start.date()
        last = day.replace(year=day.year + _HORIZON_YEARS, day=1)
        earliest = (start.hour, start.minute, start.second)
        while day <= last:
            if self._has_day(day):
                moment = self._time(earliest)
                if moment is not None:
                    return dt.datetime.combine(day, dt.time(*moment), dt.UTC)
            day += dt.timedelta(days=1)
            earliest = (0, 0, 0)
        raise ValueError(f'"{self.text}" never occurs')

    def _has_day(self, day: dt.date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _time(self, earliest: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """The first time of a day that is not before `earliest`."""
        for hour in self.hours:
            for minute in self.minutes:
                if (hour, minute) < earliest[:2]:
                    continue
                for second in self.seconds:
                    if (hour, minute, second) >= earliest:
                        return hour, minute, second
        return None


def parse(text: str) -> Schedule:
    """Parses an expression.

    Raises:
        ValueError: It is not valid, or it never occurs; says why.
    """
    fields = text.split()
    if len(fields) == 1 and ":" in text:
        raise ValueError("time spans are not supported; write an NCRONTAB expression")
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != len(_FIELDS):
        raise ValueError(f"an NCRONTAB expression has five or six fields, this has {len(fields)}")
    seconds, minutes, hours, days, months, weekdays = (
        field.parse(value) for field, value in zip(_FIELDS, fields, strict=True)
    )
    schedule = Schedule(
        text, tuple(sorted(seconds)), tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays
    )
    schedule.after(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    return schedule
