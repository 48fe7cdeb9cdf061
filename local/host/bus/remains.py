"""Frees what closed connections leave behind."""

import asyncio
import gc
from dataclasses import dataclass

_AFTER_SECONDS = 1.0


@dataclass(slots=True)
class Remains:
    """Runs the collector a moment after receivers were closed, once for all of that moment.

    The SDK leaves every receiver in cycles of references, with an open socket when its broker died. To Python's
    collector that is a handful of small objects, so it comes late.
    """

    _due: asyncio.TimerHandle | None = None

    def left(self) -> None:
        """Something was closed."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_AFTER_SECONDS, self._collect)

    def _collect(self) -> None:
        self._due = None
        gc.collect()


REMAINS = Remains()
"""Of this process."""
