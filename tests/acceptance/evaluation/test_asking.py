"""What operators may ask for, and how a run is read."""

import time
from typing import Any

import httpx2
import pytest

from evals.client import item_json
from evals.stack import JudgedStack
from shared.evaluating.views import EvaluationsReply, EvaluationView
from tests.acceptance.evaluation.support import GATES, GOLDEN, ended, scores, start
from tests.acceptance.stack import OTHER


def test_a_run_is_read_as_json_or_as_a_page_and_listed(operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:5], name="read <me>", gates=GATES, evaluators=["answered", "similarity"])
    ended(operator, run_id)

    found = operator.get(f"/api/evaluations/{run_id}").json()
    page = operator.get(f"/api/evaluations/{run_id}", headers={"accept": "text/html"})
    listed = EvaluationsReply.model_validate(operator.get("/api/evaluations").json())

    EvaluationView.model_validate(found)
    assert found["report"]["decision"] == "HOLD"
    assert found["report"]["evaluators"]["answered"]["states"] == {"scored": 5, "skipped": 0, "judge_error": 0}
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "HOLD" in page.text
    assert "read &lt;me&gt;" in page.text
    assert listed.evaluations[0].evaluation_id == run_id


def test_only_operators_evaluate_and_only_their_own_tenant(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:1], evaluators=["answered"])
    with stack.client() as user, stack.client(OTHER) as stranger:
        refused = [user.get(path).status_code for path in ("/api/evaluations", f"/api/evaluations/{run_id}")]
        assert user.post("/api/evaluations", json={}).status_code == 403
        assert stranger.get(f"/api/evaluations/{run_id}").status_code == 403

    assert refused == [403, 403]
    unknown = operator.get(f"/api/evaluations/{'0' * 32}")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "evaluation_not_found")
    ended(operator, run_id)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "give items, or a suite"),
        ({"items": [{"id": "a", "question": " "}]}, "must not be blank"),
        ({"items": [{"id": "a", "question": "x"}, {"id": "a", "question": "y"}]}, "two have the same id"),
        ({"items": [{"id": "a b", "question": "x"}]}, "items.0.id"),
        ({"items": [{"id": "a", "question": "x"}], "evaluators": ["taste"]}, "taste is none of"),
        ({"items": [{"id": "a", "question": "x"}], "model": "gpt-9"}, "choose one of"),
        ({"suite": "mmlu", "items": [{"id": "a", "question": "x"}]}, "either items or suite"),
        (
            {"items": [{"id": "a", "question": "x"}], "gates": [{**GATES[0], "statistic": "mean"}]},
            "a hard gate bounds a defect_rate",
        ),
    ],
)
def test_a_wrong_wish_is_refused_with_the_reason(operator: httpx2.Client, body: dict[str, Any], says: str) -> None:
    reply = operator.post("/api/evaluations", json=body)

    assert reply.status_code == 400
    assert says in reply.json()["error"]["message"]


def test_the_same_key_gives_the_same_run_and_a_different_wish_under_it_is_refused(operator: httpx2.Client) -> None:
    key = {"Idempotency-Key": f"once-{time.time_ns()}"}
    first = start(operator, GOLDEN[:3], headers=key, evaluators=["answered"])
    second = start(operator, GOLDEN[:3], headers=key, evaluators=["answered"])
    third = operator.post("/api/evaluations", json={"items": [item_json(GOLDEN[9])]}, headers=key)

    assert first == second
    assert third.status_code == 409
    ended(operator, first)
    assert len(scores(operator, first)) == 3
