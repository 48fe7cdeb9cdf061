"""Moments as people and APIs write them."""

from datetime import UTC, datetime


def instant(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds, from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
