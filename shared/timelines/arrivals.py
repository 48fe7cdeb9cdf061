"""Where a turn's timeline begins: at the app's first line, with what headers say of the time before.

`X-Spillway-Sent-At` is the caller's clock when the request was sent; `X-Request-Start` is the clock of the first proxy
that took it, as load balancers and monitoring agents know it. Both are moments since 1970 in seconds, milliseconds or
microseconds, with or without `t=`. They describe the timeline and nothing else: deadlines and budgets never look at
them.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from shared.ports import Clock
from shared.timelines import stages
from shared.timelines.timeline import Stage, Timeline

SENT_HEADER = "x-spillway-sent-at"
RECEIVED_HEADER = "x-request-start"
MOST_SECONDS = 30.0
"""A request that seems to have been under way for longer was stamped by a clock that is wrong."""
TICKS_PER_SECOND = 100
"""What /proc counts in, on every architecture that the platform runs on."""
_NUMBER = re.compile(r"(?:t=)?([0-9]{10,16}(?:\.[0-9]{1,9})?)")


class Arrivals:
    """Begins timelines, and knows which invocation is the first of this process."""

    def __init__(self, clock: Clock) -> None:
        """Takes the clock."""
        self._clock, self._first = clock, True

    def timeline(self, headers: Mapping[str, str] | None = None) -> Timeline:
        """A timeline that begins now; the stages before it come from the headers of a request."""
        timeline = Timeline.begin(self._clock)
        if self._first:
            self._first = False
            timeline.notes["cold_start"] = True
            if (age := process_age_seconds()) is not None:
                timeline.notes["process_age_ms"] = round(age * 1000)
        if headers is not None:
            before, doubted = stages_before(headers, timeline.started_at)
            timeline.before.extend(before)
            if doubted:
                timeline.notes["doubted_clocks"] = doubted
        return timeline

    @staticmethod
    def started(timeline: Timeline) -> None:
        """The process is ready to work: on its first invocation that took time of its own."""
        if timeline.notes.get("cold_start"):
            timeline.mark(stages.START)


def stages_before(headers: Mapping[str, str], now: float) -> tuple[list[Stage], list[str]]:
    """What headers say of the time before the app's first line at `now`, and the headers that cannot be true.

    A clock that is ahead of ours, or more than 30 s behind, is wrong or lies: its header is left out and named. A
    smaller error cannot be told from a slow network, so the stages count as estimated.
    """
    doubted: list[str] = []
    end, found = now, list[Stage]()
    for stage, header in ((stages.FRONT_END, RECEIVED_HEADER), (stages.CLIENT_SEND, SENT_HEADER)):
        value = headers.get(header)
        if value is None:
            continue
        moment = moment_in(value)
        if moment is None or not 0 <= end - moment <= MOST_SECONDS:
            doubted.append(header)
            continue
        found.insert(0, Stage(stage, end - moment, estimated=True))
        end = moment
    return found, doubted


def moment_in(value: str) -> float | None:
    """Seconds since 1970 of a header's value; the unit is told by the size. None when it is none."""
    match = _NUMBER.fullmatch(value.strip())
    if match is None:
        return None
    number = float(match[1])
    for size, unit in ((1e15, 1e6), (1e12, 1e3), (1e9, 1.0)):
        if number >= size:
            return number / unit
    return None


def process_age_seconds() -> float | None:
    """How long ago the system started this process; None where it does not say so. Source: Linux, proc(5)."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return max(0.0, uptime - int(fields[19]) / TICKS_PER_SECOND)
