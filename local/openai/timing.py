"""When each token of an answer is due: drawn per deployment from a seeded generator."""

import math
import random
from itertools import accumulate

from local.openai.config import Latency


class Timing:
    """Draws the times of one deployment's calls; the same seed and the same calls give the same times."""

    def __init__(self, seed: int, key: str) -> None:
        self._random = random.Random(f"{seed}:{key}")  # noqa: S311 - latencies need repeatable draws, not secret ones

    def token_times(self, latency: Latency, prompt_tokens: int, tokens: int, factor: float = 1.0) -> list[float]:
        """Seconds from arrival until each token is due at the caller.

        Args:
            latency: Medians and spread of the deployment.
            prompt_tokens: Length of the prompt.
            tokens: How many times to draw, at least one.
            factor: Multiplies every time.
        """
        spread, scale = latency.spread, factor / 1000.0
        first_ms = latency.time_to_first_token_ms + latency.per_prompt_token_ms * prompt_tokens
        first = latency.round_trip_ms * scale + first_ms * scale * self._draw(spread)
        gap = latency.between_tokens_ms * scale
        if gap == 0.0:
            return [first] * tokens
        if spread == 0.0:
            return [first + gap * number for number in range(tokens)]
        gauss = self._random.gauss
        gaps = (gap * math.exp(gauss(0.0, spread)) for _ in range(tokens - 1))
        return list(accumulate(gaps, initial=first))

    def _draw(self, spread: float) -> float:
        return math.exp(self._random.gauss(0.0, spread)) if spread else 1.0
