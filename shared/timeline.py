"""Where the time of a turn went: stages without gaps, from accept to the last byte."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Timeline:
    """Stages one after the other; each begins where the one before ended, so they always add up.

    Attributes:
        started_at: Seconds since 1970 at which the turn was accepted. Instances share it, so that a worker continues
            the timeline that the accepting instance began.
    """

    started_at: float
    stages: list[tuple[str, float, float]] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def mark(self, stage: str, now: float) -> None:
        """Ends a stage at `now` (seconds since 1970); time never runs backwards, whatever the clocks say."""
        begin = self.stages[-1][2] if self.stages else self.started_at
        self.stages.append((stage, begin, max(begin, now)))

    def as_dict(self) -> dict[str, Any]:
        """`total_ms` and `stages` with name, start_ms and duration_ms, plus notes such as the time to first token."""
        end = self.stages[-1][2] if self.stages else self.started_at
        return {
            "total_ms": _ms(end - self.started_at),
            "stages": [
                {"name": name, "start_ms": _ms(begin - self.started_at), "duration_ms": _ms(until - begin)}
                for name, begin, until in self.stages
            ],
            **self.notes,
        }

    def server_timing(self) -> str:
        """The Server-Timing header for the stages so far."""
        return server_timing(self.as_dict())


def server_timing(timeline: dict[str, Any] | None) -> str:
    """The Server-Timing header (W3C Server Timing) of a timeline in its JSON form."""
    stages = [] if timeline is None else timeline["stages"]
    return ", ".join(f"{stage['name']};dur={stage['duration_ms']}" for stage in stages)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
