"""What is remembered of a timer between runs, and the decisions that follow from it. No clock, no files.

Follows the schedule monitor of the WebJobs timer extension.
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from local.host.timers.ncrontab import Schedule

# .NET's default DateTime stands for "never".
_NEVER = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_SHORTEST_MONITORED = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Status:
    """State of one timer, in UTC.

    Attributes:
        last: When it ran last, None for never.
        next: When it is due.
        updated: The time from which `next` was computed.
    """

    last: dt.datetime | None
    next: dt.datetime
    updated: dt.datetime

    def as_json(self) -> dict[str, str]:
        """With the names that a function sees."""
        return {
            "Last": (self.last or _NEVER).isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


def from_json(text: str) -> Status:
    """Reads what `as_json` gave.

    Raises:
        ValueError: It is something else.
    """
    value = json.loads(text)
    try:
        last, due, updated = (dt.datetime.fromisoformat(value[name]) for name in ("Last", "Next", "LastUpdated"))
    except (KeyError, TypeError) as error:
        raise ValueError("not the state of a timer") from error
    return Status(None if last == _NEVER else last, due, updated)


def at_start(schedule: Schedule, recorded: Status | None, now: dt.datetime) -> tuple[Status, bool]:
    """The state to start with, and whether an occurrence has been missed.

    Args:
        schedule: The schedule as it is now.
        recorded: The remembered state, None the first time or without monitoring.
        now: The present.
    """
    if recorded is None:
        return Status(None, schedule.after(now), now), False
    base = recorded.last or recorded.updated
    expected = schedule.after(base)
    if recorded.next != expected:
        # The schedule has been changed: what the old one has missed is not made up for.
        if now > expected:
            expected, base = schedule.after(now), now
        return Status(None, expected, base), False
    return recorded, now > recorded.next


def after_run(schedule: Schedule, status: Status, started: dt.datetime, *, on_time: bool) -> Status:
    """The state after a run.

    Args:
        schedule: The schedule.
        status: The state before.
        started: When the run began.
        on_time: It was a regular run, neither past due nor on startup.
    """
    # A clock that is a little behind must not make the same occurrence due twice.
    base = max(started, status.next) if on_time else started
    return Status(base, schedule.after(base), base)


def is_monitored(schedule: Schedule, use_monitor: bool | None, now: dt.datetime) -> bool:
    """Whether the state is kept: not for schedules that recur within a minute, unless the function says no anyway."""
    if use_monitor is False:
        return False
    first = schedule.after(now)
    return schedule.after(first) - first >= _SHORTEST_MONITORED


def trigger_value(status: Status | None, *, past_due: bool) -> str:
    """The JSON text that Microsoft's converter turns into a TimerRequest."""
    value: dict[str, Any] = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None if status is None else status.as_json(),
        "IsPastDue": past_due,
    }
    return json.dumps(value)
