"""One score for each answer and evaluator, whatever is delivered twice; and what telemetry says of it."""

import json
import logging

import pytest

from shared.evaluating.events import EVENT, emit
from shared.evaluating.kept_scores import KeptScores
from shared.evaluation.records import Answer, Score, State

from .support import MemoryEvaluations

ANSWER = Answer("i1", "The R1 costs 249 euros.", answer_id="turn1")


def a_score(**fields: object) -> Score:
    known = {
        "item_id": "i1",
        "evaluator": "relevance",
        "version": "1+abc",
        "state": State.SCORED,
        "value": 4.0,
        "passed": True,
        "reason": "it says 249 euros",
        "answer_id": "turn1",
        "question": "How much is the R1?",
        "answer": ANSWER.text,
        "details": {"claims": [{"claim": "249 euros"}], "judge_calls": 1},
    }
    return Score(**{**known, **fields})  # type: ignore[arg-type]  # fields of a test's choice


def kept(store: MemoryEvaluations, *, with_texts: bool = True) -> KeptScores:
    return KeptScores(store, run="r", answer=ANSWER, fields={"ttl": 9}, with_texts=with_texts)


async def test_the_first_score_stays() -> None:
    store = MemoryEvaluations()
    await kept(store).put_score(a_score())
    await kept(store).put_score(a_score(value=1.0, passed=False))

    (document,) = await store.of_kind("r", "score")
    assert (document["value"], document["passed"], document["ttl"]) == (4.0, True, 9)


async def test_a_judge_error_gives_way_to_a_score_and_never_the_other_way_round() -> None:
    store = MemoryEvaluations()
    error = a_score(state=State.JUDGE_ERROR, value=None, passed=None, reason="nothing came")
    await kept(store).put_score(error)
    await kept(store).put_score(a_score())
    await kept(store).put_score(error)

    (document,) = await store.of_kind("r", "score")
    assert (document["state"], document["value"]) == ("scored", 4.0)


async def test_another_version_of_a_rubric_gives_another_score() -> None:
    store = MemoryEvaluations()
    await kept(store).put_score(a_score())
    await kept(store).put_score(a_score(version="2+def"))

    assert len(await store.of_kind("r", "score")) == 2


async def test_scores_of_production_hold_nothing_of_the_conversation() -> None:
    store = MemoryEvaluations()
    await kept(store, with_texts=False).put_score(a_score())
    (document,) = await store.of_kind("r", "score")
    found = await kept(store, with_texts=False).get_score(a_score().key)

    assert "249" not in json.dumps(document)
    assert "R1" not in json.dumps(document)
    assert found is not None
    assert found.answer == ANSWER.text


def told(caplog: pytest.LogCaptureFixture, score: Score, *, with_reason: bool = False) -> list[dict[str, object]]:
    with caplog.at_level(logging.INFO, "spillway"):
        emit(score, run="r", deployment="chat-0", prompt_version="v1", sampled=True, with_reason=with_reason)
    return [record.__dict__ for record in caplog.records]


def test_a_result_is_one_event_in_the_shape_that_portals_read(caplog: pytest.LogCaptureFixture) -> None:
    (event,) = told(caplog, a_score(input_tokens=70, output_tokens=9))

    assert event["microsoft.custom_event.name"] == EVENT == "gen_ai.evaluation.result"
    assert event["gen_ai.evaluation.name"] == "relevance"
    assert event["gen_ai.evaluation.score.value"] == 4.0
    assert event["gen_ai.evaluation.score.label"] == "pass"
    assert event["gen_ai.response.id"] == "turn1"
    assert "gen_ai.evaluation.explanation" not in event
    assert json.loads(str(event["internal_properties"])) == {
        "gen_ai.evaluation.passed": True,
        "gen_ai.evaluation.status": "completed",
        "gen_ai.evaluation.min_value": 1,
        "gen_ai.evaluation.max_value": 5,
        "gen_ai.evaluation.desirable_direction": "increase",
        "gen_ai.evaluation.run.id": "r",
        "gen_ai.evaluation.azure_ai_scheduled": True,
        "gen_ai.evaluation.usage.input_tokens": 70,
        "gen_ai.evaluation.usage.output_tokens": 9,
    }


def test_a_judge_error_has_its_type_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    (event,) = told(caplog, a_score(state=State.JUDGE_ERROR, value=None, passed=None))

    assert event["error.type"] == "judge_error"
    assert "gen_ai.evaluation.score.value" not in event


def test_a_reason_is_told_only_when_content_may_be(caplog: pytest.LogCaptureFixture) -> None:
    (event,) = told(caplog, a_score(), with_reason=True)

    assert event["gen_ai.evaluation.explanation"] == "it says 249 euros"


def test_what_was_skipped_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, a_score(state=State.SKIPPED, value=None, passed=None)) == []
