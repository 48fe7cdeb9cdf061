"""Says once that a broker is gone and once that it is back, and spaces the attempts in between."""

import gc
import logging
import random
import time
from dataclasses import dataclass

_logger = logging.getLogger(__name__)
_FIRST_SECONDS, _LONGEST_SECONDS = 0.1, 5.0
_COLLECT_SECONDS = 1.0


@dataclass(slots=True)
class Outage:
    """The state of one function's way to its broker, shared by all of its receivers.

    Attributes:
        function: For the log.
        source: The queue or subscription.
        attempts: Failed attempts in a row; 0 while all is well.
        collected_at: When what failed attempts left was last freed; monotonic seconds.
    """

    function: str
    source: str
    attempts: int = 0
    collected_at: float = -_COLLECT_SECONDS

    def failed(self, error: Exception) -> float:
        """Takes note of a failure; returns the seconds to wait before the next attempt."""
        if self.attempts == 0:
            _logger.warning(
                "Function %s cannot receive from %s and tries until it can: %s", self.function, self.source, error
            )
        self.attempts += 1
        self._collect()
        ceiling = min(_FIRST_SECONDS * 2.0 ** min(self.attempts, 10), _LONGEST_SECONDS)
        return ceiling * random.uniform(0.5, 1)  # noqa: S311  spreads attempts, is no secret

    def over(self) -> None:
        """Takes note of a success."""
        if self.attempts:
            _logger.info("Function %s receives from %s again.", self.function, self.source)
            self._collect()
        self.attempts = 0

    def _collect(self) -> None:
        """Frees what the SDK left of failed connections: cycles of references, each with an open socket."""
        now = time.monotonic()
        if now - self.collected_at >= _COLLECT_SECONDS:
            self.collected_at = now
            gc.collect()
