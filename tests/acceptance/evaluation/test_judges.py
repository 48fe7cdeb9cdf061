"""A judge that fails in every way it can, and one that is compared with people."""

from collections import Counter

import httpx2
import pytest

from evals.stack import JudgedStack
from tests.acceptance.evaluation.support import GATES, GOLDEN, ended, scores, start


def test_unusable_replies_and_stalls_are_tried_once_more_and_then_counted_apart(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    items = GOLDEN[:10]
    for kind, item in zip(("prose", "fence", "out_of_range", "nothing"), items, strict=False):
        stack.judge_fault(kind=kind, item=item.question, evaluator="relevance", count=1)
    for kind, item in zip(("prose", "out_of_range", "nothing"), items[4:], strict=False):
        stack.judge_fault(kind=kind, item=item.question, evaluator="relevance", count=2)
    stack.judge_fault(kind="stall", item=items[7].question, evaluator="relevance", count=1)
    stack.judge_fault(kind="stall", item=items[8].question, evaluator="relevance", count=2)
    run_id = start(operator, items, evaluators=["relevance", "coherence"])
    run = ended(operator, run_id)
    found = {(score["item_id"], score["evaluator"]): score for score in scores(operator, run_id)}

    relevance = [found[item.item_id, "relevance"] for item in items]
    assert run["state"] == "finished"
    assert [score["state"] for score in relevance] == [
        *["scored"] * 4,
        *["judge_error"] * 3,
        "scored",
        "judge_error",
        "scored",
    ]
    assert [score["details"].get("judge_calls") for score in relevance[:4]] == [2] * 4
    assert all(
        score["value"] is None and score["passed"] is None for score in relevance if score["state"] == "judge_error"
    )
    assert "did not answer within 2 s (2 tries)" in relevance[8]["reason"]
    assert {found[item.item_id, "coherence"]["state"] for item in items} == {"scored"}
    assert all(1 <= score["value"] <= 5 for score in found.values() if score["state"] == "scored")


def test_a_judge_out_of_quota_for_a_moment_delays_scores_and_loses_none(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    stack.judge_fault(kind="quota", count=6, retry_after_ms=400)
    run_id = start(operator, GOLDEN[:6], evaluators=["relevance", "coherence"])
    run = ended(operator, run_id)
    refused = [call for call in stack.judge_calls() if call["fault"] == "quota"]

    assert run["state"] == "finished"
    assert refused
    assert Counter(score["state"] for score in scores(operator, run_id)) == {"scored": 12}


def test_a_judge_out_of_quota_for_long_is_a_judge_error_and_the_run_ends(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    stack.judge_fault(kind="quota", item=GOLDEN[0].question, retry_after_ms=100)
    run_id = start(operator, GOLDEN[:1], evaluators=["relevance"])
    run = ended(operator, run_id)
    found = scores(operator, run_id)

    assert run["state"] == "finished"
    assert [score["state"] for score in found] == ["judge_error"]
    assert run["budget"]["cost_usd"] == 0


def test_a_judge_is_compared_with_people_and_one_under_the_bar_allows_no_go(operator: httpx2.Client) -> None:
    # The stand-in passes an answer that takes the question up. People say the same of it, but for two.
    labelled = [
        {"id": f"l{n}", "question": item.question, "answer": item.question, "target": "fail" if n < 2 else "pass"}
        for n, item in enumerate(GOLDEN[:8])
    ]
    labelled += [
        {"id": f"u{n}", "question": item.question, "answer": "I don't know.", "target": "fail"}
        for n, item in enumerate(GOLDEN[:4])
    ]
    wish = {"name": "judge", "items": labelled, "evaluators": ["relevance"], "compare_judge": True}
    run = ended(operator, operator.post("/api/evaluations", json=wish).json()["evaluation_id"])
    agreement = operator.get(f"/api/evaluations/{run['evaluation_id']}").json()["report"]["agreements"]["relevance"]

    gate = next(gate for gate in GATES if gate["name"] == "relevant answers") | {"at_least": 0.01, "minimum_scored": 1}
    wish = {"evaluators": ["relevance"], "gates": [gate]}
    trusting = ended(operator, start(operator, GOLDEN[:2], **wish))
    asking = ended(operator, start(operator, GOLDEN[:2], **wish, judge_bar={"min_sample": 200}))

    assert run["state"] == "finished"
    assert agreement["accuracy"] == 10 / 12
    assert agreement["kappa"] == pytest.approx(2 / 3)
    assert trusting["decision"] == "GO"
    assert asking["decision"] == "HOLD"
    assert "judge of relevance: only 12 rows were compared, 200 are needed" in asking["reasons"][0]
