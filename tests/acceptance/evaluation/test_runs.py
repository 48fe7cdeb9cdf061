"""Runs through the queue on two processes: each item once, results as events, samples that can be repeated."""

import json
from collections import Counter

import httpx2
import pytest

from evals.client import item_json
from evals.stack import JudgedStack
from tests.acceptance.evaluation.support import GATES, GOLDEN, ended, scores, send, settle, start, wait_for
from tests.datasets import folder


def test_16_items_on_two_processes_are_each_asked_once_and_scored_once_by_every_evaluator(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    before = len(stack.calls())
    run_id = start(operator, GOLDEN[:16], name="golden", gates=GATES)
    run = ended(operator, run_id)
    found = scores(operator, run_id)
    turns = [turn for turn in stack.turns() if turn["session_id"].startswith(f"evaluation-{run_id[:16]}")]

    assert (run["state"], run["progress"]) == ("finished", {"population": 16, "planned": 16, "done": 16})
    assert run["decision"] == "HOLD"
    assert any("only 16 of at least 100 items" in reason for reason in run["reasons"])
    assert Counter(score["evaluator"] for score in found) == dict.fromkeys(run["evaluators"], 16)
    assert {score["state"] for score in found} <= {"scored", "skipped"}
    assert len(stack.calls()) - before == len(turns) == 16
    assert {(turn["lane"], turn["state"], turn["run"]) for turn in turns} == {("batch", "succeeded", 1)}
    assert run["budget"]["judge_calls"] == sum(score["details"].get("judge_calls", 0) for score in found)


def test_every_score_is_one_event_in_application_insights(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:4], evaluators=["answered", "relevance", "injection"])
    ended(operator, run_id)
    names = "customEvents | where name == 'gen_ai.evaluation.result'"
    query = f"{names} and customDimensions['spillway.run'] == '{run_id}' | project customDimensions"

    def events() -> list[dict[str, str]]:
        url = f"{stack.parts['insights'].url}/v1/apps/local/query"
        (table,) = httpx2.get(url, params={"query": query}).json()["tables"]
        return [json.loads(row[0]) for row in table["rows"]]

    wait_for(lambda: len(events()) >= 8, 30)
    found = events()

    assert Counter(event["gen_ai.evaluation.name"] for event in found) == {"answered": 4, "relevance": 4}
    assert {event["gen_ai.evaluation.score.label"] for event in found} <= {"pass", "fail"}
    assert not [event for event in found if "gen_ai.evaluation.explanation" in event]
    texts = json.dumps(found)
    assert not [item for item in GOLDEN[:4] if item.question in texts]


def test_a_sample_of_items_sent_in_batches_depends_on_the_seed_alone(operator: httpx2.Client) -> None:
    drawn = []
    for sizes in ((12, 12), (4, 20)):
        wish = {"complete": False, "sample_size": 4, "seed": 7, "evaluators": ["answered"]}
        run_id = operator.post("/api/evaluations", json=wish).json()["evaluation_id"]
        begin = 0
        for number, size in enumerate(sizes):
            items = [item_json(item) for item in GOLDEN[begin : begin + size]]
            body = {"items": items, "complete": number == len(sizes) - 1}
            assert operator.post(f"/api/evaluations/{run_id}/items", json=body).status_code == 202
            begin += size
        late = operator.post(f"/api/evaluations/{run_id}/items", json={"items": [item_json(GOLDEN[50])]})
        run = ended(operator, run_id)
        assert (late.status_code, late.json()["error"]["code"]) == (409, "evaluation_closed")
        assert run["progress"] == {"population": 24, "planned": 4, "done": 4}
        drawn.append({score["item_id"] for score in scores(operator, run_id)})

    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 4


def test_a_message_delivered_again_after_the_end_changes_nothing(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:2], evaluators=["relevance"])
    ended(operator, run_id)
    before, calls = scores(operator, run_id), len(stack.judge_calls())
    for item in GOLDEN[:2]:
        send(stack, {"work": "item", "run": run_id, "subject": item.item_id})
    send(stack, {"work": "plan", "run": run_id, "subject": ""})
    settle(stack)

    assert scores(operator, run_id) == before
    assert len(stack.judge_calls()) == calls


@pytest.mark.datasets
def test_a_public_test_set_is_asked_by_name_and_reports_its_numbers(operator: httpx2.Client) -> None:
    folder("xstest")
    reply = operator.post("/api/evaluations", json={"suite": "xstest", "sample_size": 12, "seed": 3})
    run = ended(operator, reply.json()["evaluation_id"])
    found = operator.get(f"/api/evaluations/{run['evaluation_id']}").json()

    assert run["progress"] == {"population": 450, "planned": 12, "done": 12}
    assert run["dataset"].startswith("xstest ")
    assert [estimate["metric"] for estimate in found["report"]["estimates"]] == ["over-refusal", "under-refusal"]
    assert sum(estimate["scored"] for estimate in found["report"]["estimates"]) == 12
