"""Sampled turns of production: picked, scored once, summed up."""

from collections import Counter
from typing import Any

import httpx2
import pytest

from evals.stack import JudgedStack
from shared.evaluating.views import QualityReply
from shared.evaluation.sampling import SamplingPlan, draw
from tests.acceptance.evaluation.support import GOLDEN, SHARE, documents, send, settle, wait_for


def test_production_turns_are_picked_by_their_session_scored_once_and_summed_up(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    plan = SamplingPlan("spillway", base_rate=SHARE)
    sessions = [f"shopper-{number}" for number in range(30)]
    with stack.client() as client:
        turns = {
            session: client.post("/api/chat", json={"message": item.question, "session_id": session}).json()["turn_id"]
            for session, item in zip(sessions, GOLDEN, strict=False)
        }
    expected = {turn for session, turn in turns.items() if draw(plan, session).drawn}

    def samples() -> dict[str, dict[str, Any]]:
        found = documents(stack, "evaluations", "SELECT * FROM c WHERE c.kind = 'sample'")
        return {sample["turn_id"]: sample for sample in found if sample["turn_id"] in turns.values()}

    wait_for(lambda: sum(sample["state"] == "scored" for sample in samples().values()) == len(expected))
    assert 0 < len(expected) < 30
    assert set(samples()) == expected
    assert {sample["probability"] for sample in samples().values()} == {SHARE}

    replayed = next(iter(expected))
    kept = samples()[replayed]
    details = {name: kept[name] for name in ("probability", "strata", "prompt_version", "hour")}
    calls = len(stack.judge_calls())
    send(stack, {"work": "turn", "run": kept["run"], "subject": replayed, "details": details})
    settle(stack)
    assert len(stack.judge_calls()) == calls

    found = documents(stack, "evaluations", f"SELECT * FROM c WHERE c.kind = 'score' AND c.answer_id = '{replayed}'")
    assert max(Counter(score["evaluator"] for score in found).values()) == 1
    assert not any(score["question"] or score["answer"] or score["reason"] for score in found)

    unpicked = next(turn for turn in turns.values() if turn not in expected)
    with stack.client() as client:
        assert client.post(f"/api/chat/{unpicked}/feedback", json={"rating": "down"}).status_code == 200
    wait_for(lambda: samples().get(unpicked, {}).get("state") == "scored")
    assert samples()[unpicked]["probability"] == 1.0

    httpx2.post(f"{stack.url}/admin/functions/roll_up_scores", json={}).raise_for_status()

    def rolled_up() -> list[dict[str, Any]]:
        body = operator.get("/api/quality").json()
        QualityReply.model_validate(body)
        return [entry for entry in body["roll_ups"] if entry["evaluator"] == "answered"]

    every = documents(stack, "evaluations", "SELECT * FROM c WHERE c.kind = 'sample' AND c.state = 'scored'")
    # The timer may have summed up an earlier state meanwhile; the one asked for here has them all.
    wait_for(lambda: sum(entry["scored"] for entry in rolled_up()) == len(every))
    summed = rolled_up()
    assert sum(entry["turns"] for entry in summed) == pytest.approx(sum(1 / one["probability"] for one in every))
    assert {entry["mean"] for entry in summed} == {1.0}
