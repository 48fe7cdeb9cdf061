"""With docs/extending/evaluator.patch: answers are scored for their length, and the scorecard explains it."""

import pytest

from shared.evaluating.evaluators import GOLDEN, build
from shared.evaluation.records import Answer, Item, State
from shared.evaluation.scorecard.terms import explain


@pytest.mark.parametrize(("words", "passed"), [(1, True), (120, True), (121, False)])
async def test_an_answer_passes_up_to_the_limit(words: int, passed: bool) -> None:
    (scorer,) = build(["brevity"], None, None)
    score = await scorer.score(Item("i", "Why?"), Answer("i", "word " * words))

    assert (score.value, score.passed) == (words, passed)


async def test_a_missing_answer_is_not_scored() -> None:
    (scorer,) = build(["brevity"], None, None)

    assert (await scorer.score(Item("i", "Why?"), Answer("i", " "))).state is State.SKIPPED


def test_own_questions_are_scored_with_it_and_the_scorecard_says_what_it_is() -> None:
    assert "brevity" in GOLDEN
    assert explain("brevity")
