"""Answers a question with the sentences of the passages that match it best, and cites them."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from local.openai.answers.conversation import Question
from local.openai.answers.passages import Passage

_K1, _B = 1.2, 0.6
_TITLE_SHARE = 0.8
_MOST_SENTENCES = 3
_ENOUGH_OF_BEST = 0.55
_ENOUGH_COVERED = 0.42


@dataclass(frozen=True, slots=True)
class Scored:
    """One sentence with its score and the question's stems that it, its title or its passage covers."""

    score: float
    passage: int
    position: int
    covered: frozenset[str]


@dataclass(frozen=True, slots=True)
class Extract:
    """An answer out of the passages.

    Attributes:
        text: One to three sentences with citations.
        cited: Ids of the passages, in the order in which they are cited.
    """

    text: str
    cited: tuple[str, ...]


def extract(question: Question, passages: Sequence[Passage]) -> Extract | None:
    """Finds the best sentences, None when nothing matches well."""
    rarity = _rarity(question, passages)
    scored = sorted(_score(question, passages, rarity), key=lambda one: (-one.score, one.passage, one.position))
    if not scored or _coverage(question, rarity, scored[0].covered) < _ENOUGH_COVERED:
        return None
    chosen = [scored[0]]
    for one in scored[1:]:
        if len(chosen) == _MOST_SENTENCES or one.score < _ENOUGH_OF_BEST * scored[0].score:
            break
        if not any(_same(one, other, passages) for other in chosen):
            chosen.append(one)
    return _written(sorted(chosen, key=lambda one: (one.passage, one.position)), scored[0].passage, passages)


def _rarity(question: Question, passages: Sequence[Passage]) -> dict[str, float]:
    """Inverse document frequency over all sentences; a term that is nowhere counts like one that is there once."""
    total = sum(len(passage.sentences) for passage in passages)
    frequency: Counter[str] = Counter()
    for passage in passages:
        for sentence in passage.sentences:
            frequency.update(stem for stem in question.weights if stem in sentence.stems)
    return {stem: math.log(1 + total / (max(1, frequency[stem]) + 0.5)) for stem in question.weights}


def _score(question: Question, passages: Sequence[Passage], rarity: dict[str, float]) -> list[Scored]:
    lengths = [sentence.length for passage in passages for sentence in passage.sentences]
    average = max(1.0, sum(lengths) / max(1, len(lengths)))
    found = []
    for number, passage in enumerate(passages):
        around = {stem for sentence in passage.sentences for stem in question.weights if stem in sentence.stems}
        title = passage.title_stems.intersection(question.weights)
        for position, sentence in enumerate(passage.sentences):
            here = [stem for stem in question.weights if stem in sentence.stems]
            if not here:
                continue
            norm = _K1 * (1 - _B + _B * sentence.length / average)
            score = sum(
                question.weights[stem] * rarity[stem] * sentence.stems[stem] * (_K1 + 1) / (sentence.stems[stem] + norm)
                for stem in here
            )
            context = (around | title).difference(here)
            score += _TITLE_SHARE * sum(question.weights[stem] * rarity[stem] for stem in context)
            found.append(Scored(score, number, position, frozenset(here) | context))
    return found


def _coverage(question: Question, rarity: dict[str, float], covered: frozenset[str]) -> float:
    """The share of the question's own meaning that a sentence and its passage cover."""
    asked = question.own or question.weights.keys()
    total = sum(rarity[stem] for stem in asked)
    return sum(rarity[stem] for stem in asked if question.covers(stem, covered)) / total if total else 0.0


def _same(one: Scored, other: Scored, passages: Sequence[Passage]) -> bool:
    """Whether two sentences say mostly the same."""
    first = passages[one.passage].sentences[one.position].stems.keys()
    second = passages[other.passage].sentences[other.position].stems.keys()
    return len(first & second) > 0.7 * min(len(first), len(second))


def _written(chosen: list[Scored], best: int, passages: Sequence[Passage]) -> Extract:
    """The sentences of the best passage first, each passage cited where its sentences end."""
    order = sorted({one.passage for one in chosen}, key=lambda number: (number != best, number))
    parts = []
    for number in order:
        passage = passages[number]
        texts = [passage.sentences[one.position].text for one in chosen if one.passage == number]
        parts.append(f"{' '.join(texts)} [{passage.id}]")
    return Extract(" ".join(parts), tuple(passages[number].id for number in order))
