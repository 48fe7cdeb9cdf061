"""How often would the answer cache give the answer to another question: with a similarity alone, and with the guards?

Real questions of bank customers (BANKING77), of which some are known and others are asked. Each has one of 77 intents:
an answer to another intent is wrong for certain, one to the same intent may be right. Then pairs of real questions
(BANKING77 and TruthfulQA) that differ in one word which changes the answer, and pairs that differ in politeness only.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.caching.pairs import Pair, customers, made
from bench.caching.vectors import Vectors, embedded
from bench.machine import machine, write
from shared.policies.same_question import compare

THRESHOLDS = (0.8, 0.85, 0.9, 0.95)
KNOWN, ASKED, PAIRS, CANDIDATES = 1_500, 500, 120, 5
Judge = Callable[[str, str], bool]


def guarded(asked: str, known: str) -> bool:
    """As the app does it."""
    return compare(asked, known).same


def unguarded(_asked: str, _known: str) -> bool:
    """A similarity is enough."""
    return True


def run() -> dict[str, Any]:
    """Both measures; skipped with a message where the data is not."""
    began, description = time.perf_counter(), machine()
    try:
        questions, pairs = customers(KNOWN + ASKED), made(PAIRS)
    except FileNotFoundError as missing:
        print(f"skipped: {missing}")
        return {"skipped": str(missing)}
    texts = [text for text, _ in questions] + [text for pair in pairs for text in (pair.one, pair.other)]
    vectors = embedded(texts)
    result: dict[str, Any] = {
        "machine": description,
        "vectors": vectors.model,
        "customers": {"known": KNOWN, "asked": ASKED, "by_threshold": by_intent(questions, vectors)},
        "pairs": of_pairs(pairs, vectors),
    }
    result["seconds"] = round(time.perf_counter() - began, 1)
    write("cache", result)
    return result


def by_intent(questions: Sequence[tuple[str, str]], vectors: Vectors) -> dict[str, Any]:
    """Hits and answers of another intent, for each threshold."""
    known, asked = questions[:KNOWN], questions[KNOWN:]
    nearest = [(text, intent, vectors.nearest(text, [one for one, _ in known], CANDIDATES)) for text, intent in asked]
    intents = dict(known)
    found: dict[str, Any] = {}
    for threshold in THRESHOLDS:
        row: dict[str, Any] = {}
        for name, judge in (("similarity_alone", unguarded), ("with_guards", guarded)):
            hits = [
                (intent, hit)
                for text, intent, near in nearest
                if (hit := _hit(text, near, threshold, judge)) is not None
            ]
            wrong = sum(intents[hit] != intent for intent, hit in hits)
            row[name] = {"hits": len(hits), "of_another_intent": wrong}
        found[str(threshold)] = row
    return found


def _hit(text: str, near: Sequence[tuple[str, float]], threshold: float, judge: Judge) -> str | None:
    return next((known for known, similarity in near if similarity >= threshold and judge(text, known)), None)


def of_pairs(pairs: Sequence[Pair], vectors: Vectors) -> dict[str, Any]:
    """For each kind of change the share of pairs that would share an answer, at 0.85."""
    found: dict[str, Any] = {}
    for kind in sorted({pair.kind for pair in pairs}):
        mine = [pair for pair in pairs if pair.kind == kind]
        near = [pair for pair in mine if vectors.similarity(pair.one, pair.other) >= 0.85]
        found[kind] = {
            "same_answer_is_right": mine[0].same,
            "pairs": len(mine),
            "shared_by_similarity_alone": len(near),
            "shared_with_guards": sum(guarded(pair.one, pair.other) for pair in near),
        }
    return found
