"""Prompts of a given length, new ones for every call, so that no prompt cache answers instead of the model."""

import random

WORDS = tuple(
    "time year people way day man thing woman life child world school state family student group country problem hand "  # noqa: SIM905  a list of words
    "part place case week company system program question work government number night point home water room mother "
    "area money story fact month lot right study book eye job word business issue side kind head house service friend "
    "father power hour game line end member law car city community name president team minute idea body".split()
)
"""Each is one token of o200k with the space before it; what the service counts is reported, not this."""
ASK = "Write about these words, without end:"
OVERHEAD_TOKENS = 16
"""The request around the words: the sentence, the framing of the message, the nonce."""


def prompt(tokens: int, draw: random.Random, *, same_prefix: bool = False) -> str:
    """A prompt of about `tokens` tokens.

    Args:
        tokens: Length as the service will count it, within a few tokens.
        draw: Where the words come from.
        same_prefix: Begin always alike and differ at the end only, to see what prompt caching saves.
    """
    nonce = str(draw.randrange(10**6))
    count = max(1, tokens - OVERHEAD_TOKENS)
    if same_prefix:
        words = random.Random(0).choices(WORDS, k=count)
        return f"{ASK} {' '.join(words)} {nonce}"
    return f"{nonce} {ASK} {' '.join(draw.choices(WORDS, k=count))}"
