"""Embeddings without a model: hashed words, word pairs and character n-grams, on the unit sphere."""

import math
from collections import Counter
from functools import lru_cache
from itertools import pairwise

import mmh3

from local.openai.answers.words import STOPWORDS, split, stem

DEFAULT_DIMENSIONS = 256
MOST_DIMENSIONS = 1_536
_WORD, _PAIR, _GRAMS, _STOPWORD_SHARE = 1.0, 0.5, 0.8, 0.15


def embed(text: str, dimensions: int = DEFAULT_DIMENSIONS) -> list[float]:
    """A vector of length 1; the same text always gives the same one, related texts give near ones.

    Args:
        text: Any text; one without words still gets a vector of its own.
        dimensions: Length of the vector.
    """
    weights: dict[int, float] = {}
    words = split(text)
    for word, count in Counter(words).items():
        scale = 1.0 + math.log(count)
        for feature, weight in _features(word[:64]):
            weights[feature] = weights.get(feature, 0.0) + scale * weight
    content = [stem(word[:64]) for word in words if word not in STOPWORDS]
    for first, second in pairwise(content):
        feature = mmh3.hash(f"{first} {second}", 2, signed=False)
        weights[feature] = weights.get(feature, 0.0) + _PAIR
    if not weights:
        weights[mmh3.hash(text.strip(), 3, signed=False)] = 1.0
    return _unit(weights, dimensions)


@lru_cache(maxsize=65_536)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """Hash and weight of one word's features: its stem, and the n-grams of three to five characters."""
    share = _STOPWORD_SHARE if word in STOPWORDS else 1.0
    found = [(mmh3.hash(stem(word), 0, signed=False), _WORD * share)]
    padded = f"<{word}>"
    grams = [padded[at : at + size] for size in (3, 4, 5) for at in range(len(padded) - size + 1)]
    if grams:
        each = _GRAMS * share / math.sqrt(len(grams))
        found += [(mmh3.hash(gram, 1, signed=False), each) for gram in grams]
    return tuple(found)


def _unit(weights: dict[int, float], dimensions: int) -> list[float]:
    values = [0.0] * dimensions
    for feature, weight in weights.items():
        values[(feature >> 1) % dimensions] += weight if feature & 1 else -weight
    length = math.sqrt(math.fsum(value * value for value in values))
    if length == 0.0:
        values[0] = length = 1.0
    return [value / length for value in values]
