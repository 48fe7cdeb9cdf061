"""What the tests of evaluation share: a set of questions, runs by the API, and views past it."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
from azure.cosmos import CosmosClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from evals.client import gate_json, item_json
from evals.stack import JudgedStack
from shared.evaluating.views import EvaluationScoresReply, EvaluationView
from shared.evaluation.datasets.own import read_own
from shared.evaluation.gates import load_gates
from shared.evaluation.records import Item
from tests.acceptance.stack import STORE_KEY

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = read_own(ROOT / "evals" / "golden" / "wallegpt.jsonl").items
GATES = [gate_json(gate) for gate in load_gates(ROOT / "evals" / "gates.toml").gates]
OVER = {"finished", "stopped", "cancelled"}
SHARE = 0.4
JUDGE_SECONDS = 2


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.1)


def start(client: httpx2.Client, items: Sequence[Item], headers: dict[str, str] | None = None, **body: Any) -> str:
    wish = {"items": [item_json(item) for item in items], **body}
    reply = client.post("/api/evaluations", json=wish, headers=headers or {})
    assert reply.status_code == 202, reply.text
    run = EvaluationView.model_validate(reply.json())
    assert reply.headers["location"] == f"/api/evaluations/{run.evaluation_id}"
    return run.evaluation_id


def ended(client: httpx2.Client, run_id: str, seconds: float = 90) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(client.get(f"/api/evaluations/{run_id}", params={"report": "false"}).json())
        return found["state"] in OVER

    wait_for(over, seconds)
    return found


def scores(client: httpx2.Client, run_id: str, limit: int = 97) -> list[dict[str, Any]]:
    found, after = list[dict[str, Any]](), ""
    while True:
        page = client.get(f"/api/evaluations/{run_id}/scores", params={"limit": limit, "after": after}).json()
        EvaluationScoresReply.model_validate(page)
        found += page["scores"]
        if "after" not in page:
            return found
        after = page["after"]


def documents(stack: JudgedStack, container: str, query: str) -> list[dict[str, Any]]:
    with CosmosClient(stack.parts["store"].url, credential=STORE_KEY) as store:
        found = store.get_database_client("spillway").get_container_client(container)
        return list(found.query_items(query, enable_cross_partition_query=True))


def send(stack: JudgedStack, body: dict[str, Any]) -> None:
    """Puts a message into the queue as a broker does that delivers one again."""
    message = {"v": 1, "sent_at": time.time(), "copy": "again", "details": {}, **body}
    with (
        ServiceBusClient.from_connection_string(stack.environment()["ServiceBusConnection"]) as client,
        client.get_queue_sender("evaluations") as sender,
    ):
        sender.send_messages(ServiceBusMessage(json.dumps(message), message_id=f"again-{time.time_ns()}"))


def settle(stack: JudgedStack) -> None:
    """Waits until the queue of evaluation work is empty."""
    with (
        ServiceBusClient.from_connection_string(stack.environment()["ServiceBusConnection"]) as client,
        client.get_queue_receiver("evaluations") as receiver,
    ):
        wait_for(lambda: not receiver.peek_messages(1), 30)
