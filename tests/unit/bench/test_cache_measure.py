"""The cache's guards on real questions, and the page that reports what was measured."""

import json
from collections import Counter

import pytest

from shared.policies.same_question import compare
from tests.datasets import folder
from tests.processes import ROOT

RESULT = json.loads((ROOT / "bench" / "results" / "cache.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "caching.md").read_text(encoding="utf-8")
CHANGES = {
    "negation": "a negation put in",
    "number": "a number changed",
    "name": "a name changed",
    "politeness": "politeness put around it",
}


@pytest.mark.parametrize("threshold", RESULT["customers"]["by_threshold"])
def test_the_page_says_what_was_measured_of_customers(threshold: str) -> None:
    row = RESULT["customers"]["by_threshold"][threshold]
    cells = [f"{row[name]['hits']}, {row[name]['of_another_intent']}" for name in ("similarity_alone", "with_guards")]

    assert f"| {float(threshold):.2f} | {cells[0]} | {cells[1]} |" in PAGE


@pytest.mark.parametrize("kind", CHANGES)
def test_the_page_says_what_was_measured_of_pairs(kind: str) -> None:
    found = RESULT["pairs"][kind]
    same = "yes" if found["same_answer_is_right"] else "no"
    row = f"| {CHANGES[kind]} | {same} | {found['shared_by_similarity_alone']} | {found['shared_with_guards']} |"

    assert found["pairs"] == 120
    assert row in PAGE


@pytest.mark.datasets
def test_the_guards_alone_tell_thousands_of_real_questions_from_their_changed_twins() -> None:
    folder("banking77")
    folder("truthfulqa")
    from bench.caching.pairs import made

    # A name and its plural are one name.
    pairs = [pair for pair in made(1_500) if pair.one.replace("s", "") != pair.other.replace("s", "")]
    shared = Counter(pair.kind for pair in pairs if compare(pair.one, pair.other).same)
    made_of = Counter(pair.kind for pair in pairs)

    assert set(shared) == {"politeness"}
    assert shared["politeness"] > 0.95 * made_of["politeness"]
    assert made_of["negation"] > 1_400
    assert min(made_of["number"], made_of["name"]) > 200
