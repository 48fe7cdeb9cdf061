"""Says once that a broker is gone and once that it is back, and spaces the attempts in between."""

import logging
import random
from dataclasses import dataclass

_logger = logging.getLogger(__name__)
_FIRST_SECONDS, _LONGEST_SECONDS = 0.1, 5.0


@dataclass(slots=True)
class Outage:
    """The state of one function's way to its broker, shared by all of its receivers.

    Attributes:
        function: For the log.
        source: The queue or subscription.
        attempts: Failed attempts in a row; 0 while all is well.
    """

    function: str
    source: str
    attempts: int = 0

    def failed(self, error: Exception) -> float:
        """Takes note of a failure; returns the seconds to wait before the next attempt."""
        if self.attempts == 0:
            _logger.warning(
                "Function %s cannot receive from %s and tries until it can: %s", self.function, self.source, error
            )
        self.attempts += 1
        ceiling = min(_FIRST_SECONDS * 2.0 ** min(self.attempts, 10), _LONGEST_SECONDS)
        return ceiling * random.uniform(0.5, 1)  # noqa: S311  spreads attempts, is no secret

    def over(self) -> None:
        """Takes note of a success."""
        if self.attempts:
            _logger.info("Function %s receives from %s again.", self.function, self.source)
        self.attempts = 0
