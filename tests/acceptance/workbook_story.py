"""A whole run with known facts whose telemetry has arrived, and an operator who looks at it through the workbook."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from evals.stack import JudgedStack
from tests.acceptance.evaluation.support import documents
from tests.acceptance.test_telemetry import Seen
from tests.contract.insights.client import Insights

RATINGS = {"direct": "up", "queued": "up", "keyed": "down"}


@dataclass
class Story:
    """A run whose telemetry has arrived, and an operator who looks at it."""

    stack: JudgedStack
    seen: Seen
    operator: httpx2.Client
    refused: int
    decision: str

    def ask(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query as dictionaries."""
        reply = self.operator.post(f"/api/workbook/queries/{name}", json={"parameters": parameters})
        assert reply.status_code == 200, f"{name}: {reply.text}"
        result = reply.json()
        assert result["partial"] is None
        columns = [column["name"] for column in result["columns"]]
        return [dict(zip(columns, row, strict=True)) for row in result["rows"]]

    def of(self, table: str, name: str, **wanted: Any) -> list[dict[str, Any]]:
        return self.seen.of(table, name=name, **wanted)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what} did not happen in time"
        time.sleep(0.1)


def refuse(stack: JudgedStack) -> int:
    """Questions that cannot be answered in time, because a longer line stands before them; how many were refused."""
    stack.fault(kind="quota", retry_after_ms=30_000, headers="ms")
    refused = 0
    with stack.client() as client:

        def ask(lane: str, **more: Any) -> httpx2.Response:
            body = {"message": "Hello", "lane": lane, **more}
            return client.post("/api/chat", json=body, headers={"Prefer": "respond-async"})

        first = f"/api/chat/{ask('standard').json()['turn_id']}"
        wait_for(lambda: client.get(first).json()["state"] == "deferred", "the deferral of a turn")
        for _ in range(60):
            refused += ask("standard", deadline_seconds=5).status_code == 429
            if refused == 2:
                break
            time.sleep(0.1)
        client.delete(first).raise_for_status()
    stack.calm()
    return refused


def arrived(stack: JudgedStack, insights: Insights) -> bool:
    """Whether the telemetry of everything that is over is there."""
    turns = stack.turns()
    over = [turn for turn in turns if turn["state"] in {"succeeded", "failed", "expired", "cancelled"}]
    scores = documents(
        stack, "evaluations", "SELECT VALUE COUNT(1) FROM c WHERE c.kind = 'score' AND c.state != 'skipped'"
    )
    counts = "union (customEvents | where name == 'spillway.turn' | summarize n = count())"
    counts += ", (customMetrics | where name == 'spillway.turns' | summarize n = tolong(sum(value)))"
    counts += ", (customEvents | where name == 'gen_ai.evaluation.result' | summarize n = count())"
    counts += ", (traces | where tostring(customDimensions.action) == 'end_evaluation' | summarize n = count())"
    found = [row[0] for row in insights.rows(counts)]
    return len(over) == len(turns) and sorted(found) == sorted([len(over), len(over), scores[0], 1])
