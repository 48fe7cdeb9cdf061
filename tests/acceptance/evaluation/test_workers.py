"""A worker that is killed."""

import os
import signal
from collections import Counter

from evals.stack import JudgedStack
from tests.acceptance.evaluation.support import GOLDEN, documents, ended, scores, start, wait_for
from tests.acceptance.stack import OPERATOR


def test_a_worker_killed_in_mid_run_costs_no_item_and_scores_none_twice(stack: JudgedStack) -> None:
    with stack.client(OPERATOR) as operator:
        run_id = start(operator, GOLDEN[:24], evaluators=["answered", "relevance", "similarity"])
        seen = len(stack.judge_calls())
        wait_for(lambda: len(stack.judge_calls()) > seen + 5)
        assert operator.get(f"/api/evaluations/{run_id}").json()["progress"]["done"] < 24
        os.kill(stack.parts["app"].ready["instances"][0]["pid"], signal.SIGKILL)
    # The store is asked rather than the app: the killed instance held the connection.
    query = f"SELECT VALUE c.state FROM c WHERE c.kind = 'run' AND c.run = '{run_id}'"
    wait_for(lambda: documents(stack, "evaluations", query) == ["finished"], 90)
    with stack.client(OPERATOR) as operator:
        run, found = ended(operator, run_id), scores(operator, run_id)
    turns = [turn for turn in stack.turns() if turn["session_id"].startswith(f"evaluation-{run_id[:16]}")]

    assert (run["state"], run["progress"]["done"]) == ("finished", 24)
    assert Counter(score["evaluator"] for score in found) == {"answered": 24, "relevance": 24, "similarity": 24}
    assert {score["state"] for score in found} == {"scored"}
    assert len(turns) == 24
    assert {turn["state"] for turn in turns} == {"succeeded"}
