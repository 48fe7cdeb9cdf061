"""When each step of the context ran, for the timeline: what ran side by side, and which of them the turn waited for."""

from typing import Any

from shared.context.sources import Sources
from shared.ports import Clock
from shared.timelines.critical_path import critical


class Steps:
    """Notes steps as they end. A step lies on the critical path when the turn waited for it."""

    def __init__(self, clock: Clock, told: list[dict[str, Any]], sources: Sources | None = None) -> None:
        """Begins now; `told` is filled with name, start_ms and duration_ms, and `critical` at the end.

        `sources` are what others need of the turn too; None when nobody does.
        """
        self.sources = sources
        self._clock, self._told, self._began = clock, told, clock.monotonic()

    def ended(self, name: str, begin: float, **more: Any) -> None:
        """A step that began at the monotonic moment `begin` is over.

        Args:
            name: One word.
            begin: Monotonic seconds.
            more: `part_of`, the step it lies in, and `needs`, the names of those it has to follow.
        """
        start = max(0.0, begin - self._began)
        length = self._clock.monotonic() - begin
        self._told.append({"name": name, "start_ms": _ms(start), "duration_ms": _ms(length), **more})

    def close(self) -> None:
        """All steps are over."""
        waited_for = set(critical(self._told))
        for step in self._told:
            if step["name"] in waited_for:
                step["critical"] = True


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
