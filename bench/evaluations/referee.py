"""What the store and the accounts of model and judge say."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from azure.cosmos import CosmosClient

from bench.evaluations.phases import EVALUATORS
from evals.stack import JudgedStack
from tests.acceptance.stack import STORE_KEY


def judge(stack: JudgedStack, runs: Sequence[str], items: int) -> dict[str, Any]:
    """Were all items asked and scored, each once?"""
    found = [_run(stack, run_id) for run_id in runs]
    scores = sum((run["scores"] for run in found), Counter[str]())
    states = sum((run["states"] for run in found), Counter[str]())
    turns = [turn for turn in stack.turns() if turn["session_id"].startswith("evaluation-")]
    return {
        "items": items,
        "runs_by_state": dict(Counter(run["state"] for run in found)),
        "items_done": sum(run["done"] for run in found),
        "scores": len(scores),
        "scores_expected": items * len(EVALUATORS),
        "scored_more_than_once": sum(count > 1 for count in scores.values()),
        "score_states": dict(states),
        "turns": len(turns),
        "turns_by_state": dict(Counter(turn["state"] for turn in turns)),
        "turns_run_again_after_a_kill": sum(turn["run"] > 1 for turn in turns),
        "judge_calls": len(stack.judge_calls()),
    }


def _run(stack: JudgedStack, run_id: str) -> dict[str, Any]:
    with CosmosClient(stack.parts["store"].url, credential=STORE_KEY) as store:
        container = store.get_database_client("spillway").get_container_client("evaluations")

        def rows(query: str) -> list[dict[str, Any]]:
            return list(container.query_items(query, partition_key=run_id))

        (run,) = rows("SELECT c.state FROM c WHERE c.kind = 'run'")
        items = rows("SELECT c.state FROM c WHERE c.kind = 'item'")
        scores = rows("SELECT c.item_id, c.evaluator, c.state FROM c WHERE c.kind = 'score'")
    return {
        "state": run["state"],
        "done": sum(item["state"] == "done" for item in items),
        "scores": Counter(f"{run_id} {score['item_id']} {score['evaluator']}" for score in scores),
        "states": Counter(score["state"] for score in scores),
    }
