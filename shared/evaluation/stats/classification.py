"""Scores of a classification: macro-F1."""

from collections import Counter
from collections.abc import Sequence


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 over all labels that occur in the truth.

    Args:
        pairs: (true label, predicted label). A prediction outside the true labels is wrong for its row and opens no
            class of its own, so an unreadable answer cannot dilute the mean.
    """
    truth = Counter(true for true, _ in pairs)
    predicted = Counter(guess for _, guess in pairs)
    hits = Counter(true for true, guess in pairs if true == guess)
    if not truth:
        return 0.0
    return sum(2 * hits[label] / (truth[label] + predicted[label]) for label in truth) / len(truth)
