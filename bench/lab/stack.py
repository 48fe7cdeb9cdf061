"""What an arm runs on: the simulator alone or the whole app on local Azure, and what can be read from outside."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from azure.cosmos import CosmosClient

from bench.lab.facts import Call, Snapshot, Stored
from bench.lab.outcomes import TERMINAL
from bench.lab.scenario import Scenario
from tests.acceptance.stack import MODEL, STORE_KEY, Stack
from tests.processes import Service

SYSTEM_PROMPT = (
    "You are the assistant of a bank's customer service. Answer the customer's question in at most three short "
    "sentences. Say so when you do not know, and never ask for passwords or card numbers."
)
MODEL_KEY = "local-openai-key"
OPERATOR_KEY = "lab-key-of-the-operator"
ALL = "SELECT c.id, c.messages, c.state, c.answer, c.deadline_at, c.lane, c.created_at, c._ts FROM c"
OPEN = "SELECT VALUE COUNT(1) FROM c WHERE NOT ARRAY_CONTAINS(@over, c.state)"
PAGE_CALLS = 10_000


def keys(scenario: Scenario) -> dict[str, str]:
    """The API key of each tenant."""
    return {tenant: f"lab-key-of-{tenant}" for tenant in scenario.tenants}


def models(scenario: Scenario) -> dict[str, Any]:
    """The simulator's configuration: the scenario's chat deployments and one for embeddings."""
    chat, accounts = [], []
    for number, entry in enumerate(scenario.deployments):
        values = {key: value for key, value in entry.items() if key != "region"}
        account = f"account{number}"
        accounts.append({"name": account, "region": entry["region"]})
        chat.append(
            {"account": account, "model": MODEL, "kind": "chat", "answer_tokens": scenario.answer_tokens, **values}
        )
    embeddings = {
        "name": "embeddings",
        "account": "account0",
        "model": "text-embedding-3-small",
        "kind": "embeddings",
        "tier": "standard",
        "tokens_per_minute": 3_000_000,
        "requests_per_minute": 60_000,
    }
    return {"accounts": accounts, "deployments": [*chat, embeddings]}


@dataclass
class LabStack(Stack):
    """The stack of the acceptance tests, with a broker that counts and keys for the scenario's tenants."""

    app_too: bool = True
    control_arguments: tuple[str, ...] = ()
    _store: CosmosClient | None = None

    def start(self) -> "LabStack":
        if self.app_too:
            super().start()
        else:
            self.start_model()
        return self

    def start_broker(self) -> Service:
        before = self.parts.get("broker")
        extra = before.ready["control_url"].rpartition(":")[2] if before else "0"
        self.control_arguments = ("--control-port", extra)
        return super().start_broker()

    def _start(self, part: str, module: str, *arguments: str, **options: Any) -> Service:
        extra = self.control_arguments if part == "broker" else ()
        return super()._start(part, module, *arguments, *extra, **options)

    def model_url(self) -> str:
        """Address of the simulator."""
        return self.parts["model"].url

    def account_of_calls(self) -> list[Call]:
        """Every chat call that ended, from the simulator's own account."""
        found, since = list[Call](), 0
        while True:
            page = httpx2.get(
                f"{self.model_url()}/_sim/calls", params={"since": since, "limit": PAGE_CALLS}, timeout=60
            ).json()
            found += [call_of(entry) for entry in page["calls"] if entry["deployment"] != "embeddings"]
            if page["forgotten"]:
                raise RuntimeError("The simulator has forgotten calls; start it with a larger --keep-calls.")
            if not page["more"]:
                return found
            since = page["next"]

    def sums(self) -> dict[str, Any]:
        """The simulator's sums."""
        account: dict[str, Any] = httpx2.get(f"{self.model_url()}/_sim/account", timeout=30).json()
        return account

    def in_flight(self) -> int:
        """Calls under way at the simulator."""
        return sum(int(entry["in_flight"]) for entry in self.sums()["deployments"].values())

    def stored_turns(self) -> list[Stored]:
        """All turns in the store, read with the official SDK past the app."""
        return [
            Stored(
                turn_id=item["id"],
                text=item["messages"][-1]["content"],
                state=item["state"],
                answer=item.get("answer") or "",
                deadline_at=item["deadline_at"],
                changed_at=item["_ts"],
                lane=item["lane"],
                created_at=item["created_at"],
            )
            for item in self._query(ALL)
        ]

    def open_turns(self) -> int:
        """How many turns in the store are not over."""
        return int(self._query(OPEN, {"name": "@over", "value": sorted(TERMINAL)})[0])

    def _query(self, text: str, *parameters: dict[str, object]) -> list[Any]:
        return self.rows("turns", text, *parameters)

    def rows(self, container: str, text: str, *parameters: dict[str, object]) -> list[Any]:
        """What a query finds in one of the app's containers."""
        # One client for the whole run: a client that is closed early complains from a thread of its own.
        if self._store is None:
            self._store = CosmosClient(self.parts["store"].url, credential=STORE_KEY)
        client = self._store.get_database_client("spillway").get_container_client(container)
        return list(client.query_items(text, parameters=list(parameters), enable_cross_partition_query=True))

    def stop(self) -> None:
        super().stop()
        if self._store is not None:
            self._store.close()

    def snapshot(self, segment: str, begins: float) -> Snapshot:
        """Counts of broker and store as they are now, for a segment that begins then."""
        broker: Mapping[str, Any] = httpx2.get(f"{self.parts['broker'].ready['control_url']}/_sim/account").json()
        store: Mapping[str, Any] = httpx2.get(f"{self.parts['store'].url}/_sim/account").json()
        return Snapshot(segment, begins, broker["queues"], store)

    def workers(self) -> list[int]:
        """Process ids of instances that run workers and no HTTP functions, as the supervisor says now."""
        ready = json.loads((self.folder / "app.ready.json").read_text(encoding="utf-8"))
        return [
            int(entry["pid"])
            for entry in ready["instances"]
            if all(name.startswith(("answer_", "score_")) for name in entry["functions"]) and entry["functions"]
        ]


def call_of(entry: Mapping[str, Any]) -> Call:
    """A line of the account."""
    return Call(
        arrived_at=entry["arrived_at"],
        decided_at=entry["decided_at"] or entry["arrived_at"],
        ended_at=entry["ended_at"],
        deployment=entry["deployment"],
        estimate=entry["estimate"],
        asked_tokens=entry["asked_tokens"],
        status=entry["status"],
        outcome=entry["outcome"],
        first_token_at=entry["first_token_at"],
        question=entry["question_sha256"],
        prompt_tokens=entry["prompt_tokens"],
        output_tokens=entry["output_tokens"],
    )


def stack_of(scenario: Scenario, folder: Path, *, app_too: bool, insights: bool = False) -> LabStack:
    """The stack of a scenario, not started; with `insights` its telemetry is kept and there is an operator."""
    api_keys = [_api_key(key, tenant, operator=False) for tenant, key in keys(scenario).items()]
    if insights:
        api_keys.append(_api_key(OPERATOR_KEY, "lab", operator=True))
    settings = {
        "SPILLWAY_API_KEYS": json.dumps(api_keys),
        "SPILLWAY_KNOWLEDGE_ENABLED": "false",
        "SPILLWAY_SYSTEM_PROMPT": SYSTEM_PROMPT,
        "SPILLWAY_MAX_OUTPUT_TOKENS": str(scenario.max_output_tokens),
        "SPILLWAY_SWEEP_SCHEDULE": "*/15 * * * * *",
        "SPILLWAY_SAMPLE_SHARE": "0",
        **scenario.settings,
    }
    options = tuple(part for value in scenario.instances for part in ("--instances", value))
    return LabStack(
        folder,
        models=models(scenario),
        settings=settings,
        host_options=options,
        lock=scenario.lock,
        app_too=app_too,
        insights=insights,
    )


def _api_key(key: str, tenant: str, *, operator: bool) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant, "operator": operator}
