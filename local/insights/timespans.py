"""The query API's `timespan`: an ISO 8601 duration, or an interval with a slash."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from local.insights.errors import InvalidRequestError

_DURATION: Final = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?", re.ASCII
)


def parse_timespan(text: str, now: datetime) -> tuple[datetime, datetime]:
    """First and last moment (UTC, no zone) of a time span.

    Raises:
        InvalidRequestError: It is neither a duration nor two parts of which at most one is a duration.
    """
    first, slash, second = text.strip().partition("/")
    try:
        if not slash:
            return _naive(now - _duration(first)), _naive(now)
        if first.startswith("P"):
            stop = _moment(second)
            return _naive(stop - _duration(first)), _naive(stop)
        start = _moment(first)
        return _naive(start), _naive(start + _duration(second) if second.startswith("P") else _moment(second))
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(f"timespan {text[:80]!r} is not an ISO 8601 duration or interval") from error


def parse_moment(text: str, name: str) -> datetime:
    """A moment in UTC.

    Raises:
        InvalidRequestError: It is not an ISO 8601 time.
    """
    try:
        return _moment(text)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(f"{name} {text[:80]!r} is not an ISO 8601 time") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(text)
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
