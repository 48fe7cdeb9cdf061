"""How often text is passed on and saved while an answer grows."""

import math

FIRST_INTERVAL_SECONDS = 0.02
LAST_INTERVAL_SECONDS = 0.1
GROWTH = 1.25
GROWN = math.ceil(math.log(LAST_INTERVAL_SECONDS / FIRST_INTERVAL_SECONDS, GROWTH))
"""After so many messages the pause is the longest: a busy destination gets thousands without a rest."""


def relay_interval_seconds(messages_sent: int) -> float:
    """Pause after the n-th relay message to one destination: nothing before the first, then growing to a tenth second.

    The first token goes at once because the caller waits for it; later ones are read no faster than this anyway, and
    every message costs an operation.
    """
    if messages_sent <= 0:
        return 0.0
    return min(LAST_INTERVAL_SECONDS, FIRST_INTERVAL_SECONDS * GROWTH ** min(messages_sent - 1, GROWN))
