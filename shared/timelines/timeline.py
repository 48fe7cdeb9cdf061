"""Where the time of a turn went: stages without gaps, from the caller's question to the last byte."""

from dataclasses import dataclass, field
from typing import Any

from shared.ports import Clock


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. Its length is in seconds; `estimated` when it compares two clocks or one that is not ours."""

    name: str
    seconds: float
    estimated: bool = False


@dataclass(slots=True)
class Timeline:
    """Stages one after the other; each begins where the one before ended, so they always add up.

    Attributes:
        started_at: Seconds since 1970 at which the stages that are marked begin: the app's first line for the turn.
        clock: Measures the stages; monotonic, so that a step of the wall clock moves nothing.
        before: Stages that were over when this began.
        notes: What else is known: the context's steps, the prompt, the pauses between tokens.
    """

    started_at: float
    clock: Clock | None = None
    before: list[Stage] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    _ends: list[tuple[str, float]] = field(default_factory=list, init=False)
    _anchor: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Notes which monotonic moment is `started_at`."""
        if self.clock is not None:
            self._anchor = self.clock.monotonic()

    @classmethod
    def begin(cls, clock: Clock) -> "Timeline":
        """A timeline that begins now."""
        return cls(clock.now(), clock)

    def now(self) -> float:
        """The present moment in seconds since 1970, as a clock says that cannot step.

        Raises:
            ValueError: This timeline has no clock.
        """
        if self.clock is None:
            raise ValueError("this timeline has no clock: give mark() the moment")
        return self.moment(self.clock.monotonic())

    def moment(self, monotonic: float) -> float:
        """A moment of the monotonic clock in seconds since 1970."""
        return self.started_at + monotonic - self._anchor

    @property
    def end(self) -> float:
        """When the last stage ended; seconds since 1970."""
        return self._ends[-1][1] if self._ends else self.started_at

    @property
    def seconds(self) -> float:
        """Length of the stages that were marked here."""
        return self.end - self.started_at

    def mark(self, stage: str, now: float | None = None) -> None:
        """Ends a stage now, or at the moment `now` (seconds since 1970) that was noted for it.

        Time never runs backwards, and with a clock a stage never ends in the future, whatever the moments say. A stage
        that has just ended is made longer when it is marked again.
        """
        moment = self.now() if now is None else now if self.clock is None else min(now, self.now())
        until = max(self.end, moment)
        if self._ends and self._ends[-1][0] == stage:
            self._ends.pop()
        self._ends.append((stage, until))

    @property
    def stages(self) -> list[Stage]:
        """All stages, in order."""
        begins = [self.started_at, *(end for _, end in self._ends)]
        own = [Stage(name, end - begin) for begin, (name, end) in zip(begins, self._ends, strict=False)]
        return [*self.before, *own]

    def as_dict(self) -> dict[str, Any]:
        """`total_ms` and `stages` with name, start_ms and duration_ms, plus the notes."""
        return {**as_stages(self.stages), **self.notes}

    def server_timing(self) -> str:
        """The Server-Timing header for the stages so far."""
        return server_timing(self.as_dict())


def as_stages(stages: list[Stage]) -> dict[str, Any]:
    """`total_ms` and `stages` of a timeline in its JSON form. Durations add up to the total as they are told."""
    told: list[dict[str, Any]] = []
    start = 0
    for stage in stages:
        # Whole microseconds, so that no rounding opens a gap.
        length = round(stage.seconds * 1e6)
        entry = {"name": stage.name, "start_ms": start / 1000, "duration_ms": length / 1000}
        told.append(entry | ({"estimated": True} if stage.estimated else {}))
        start += length
    return {"total_ms": start / 1000, "stages": told}


def read_stages(timeline: dict[str, Any] | None) -> list[Stage]:
    """The stages of a timeline in its JSON form."""
    stages = [] if timeline is None else timeline["stages"]
    return [Stage(one["name"], one["duration_ms"] / 1000, one.get("estimated", False)) for one in stages]


def server_timing(timeline: dict[str, Any] | None) -> str:
    """The Server-Timing header (W3C Server Timing) of a timeline in its JSON form."""
    stages = [] if timeline is None else timeline["stages"]
    return ", ".join(f"{stage['name']};dur={stage['duration_ms']}" for stage in stages)
