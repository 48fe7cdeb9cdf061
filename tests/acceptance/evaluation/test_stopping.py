"""Runs that end before all items are done."""

import httpx2

from evals.stack import JudgedStack
from tests.acceptance.evaluation.support import GOLDEN, ended, settle, start, wait_for


def test_a_budget_of_judge_calls_is_never_exceeded_and_ends_the_run(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    settle(stack)
    before = len(stack.judge_calls())
    run_id = start(operator, GOLDEN[:12], evaluators=["relevance", "coherence"], max_judge_calls=13)
    run = ended(operator, run_id)

    assert (run["state"], run["stopped"]) == ("stopped", "the budget for judges is used up")
    assert 0 < len(stack.judge_calls()) - before <= 15
    assert run["budget"]["judge_calls"] == len(stack.judge_calls()) - before


def test_a_cancelled_run_stops_asking_and_its_turns_end(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:30], evaluators=["answered"])
    wait_for(lambda: operator.get(f"/api/evaluations/{run_id}").json()["state"] == "running")
    reply = operator.delete(f"/api/evaluations/{run_id}")
    again = operator.delete(f"/api/evaluations/{run_id}")

    def open_turns() -> list[str]:
        mine = [turn for turn in stack.turns() if turn["session_id"].startswith(f"evaluation-{run_id[:16]}")]
        return [turn["state"] for turn in mine if turn["state"] in {"accepted", "queued", "running", "deferred"}]

    assert (reply.status_code, reply.json()["state"]) == (200, "cancelled")
    assert again.json()["state"] == "cancelled"
    wait_for(lambda: not open_turns(), 30)
