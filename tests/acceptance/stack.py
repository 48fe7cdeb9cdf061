"""The whole of Spillway on local Azure, as processes that a test can kill and start again."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from azure.cosmos import CosmosClient

from local.provision import provision
from local.run.telemetry import telemetry_settings
from tests.processes import Service, start

STORE_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
USER, OPERATOR, OTHER = "user-key-of-contoso", "operator-key-of-contoso", "user-key-of-fabrikam"
OTHER_OPERATOR = "operator-key-of-fabrikam"
MODEL = "gpt-4o-mini"
QUEUES = Path(__file__).resolve().parents[2] / "local" / "queues.json"


def api_keys() -> str:
    ours = ((USER, "contoso", False), (OPERATOR, "contoso", True))
    entries = (*ours, (OTHER, "fabrikam", False), (OTHER_OPERATOR, "fabrikam", True))
    return json.dumps(
        [
            {"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant, "operator": operator}
            for key, tenant, operator in entries
        ]
    )


def queues(folder: Path, *, lock: str = "PT1M") -> Path:
    """The queue declaration with another lock duration, so that a lost lock is found soon."""
    declaration = json.loads(QUEUES.read_text())
    for queue in declaration["UserConfig"]["Namespaces"][0]["Queues"]:
        queue["Properties"]["LockDuration"] = lock
    path = folder / "queues.json"
    path.write_text(json.dumps(declaration))
    return path


def deployments(*, count: int = 2, between_tokens_ms: float = 2, answer_tokens: int | None = None) -> dict[str, Any]:
    """A model configuration: `count` quick chat deployments in regions of their own, and one for embeddings."""
    latency = {
        "time_to_first_token_ms": 20,
        "per_prompt_token_ms": 0,
        "between_tokens_ms": between_tokens_ms,
        "spread": 0.0,
        "round_trip_ms": 0,
    }
    limits = {"tokens_per_minute": 3_000_000, "requests_per_minute": 60_000}
    chat = [
        {"name": f"chat-{n}", "account": f"account{n}", "model": MODEL, "kind": "chat", "tier": "standard", **limits}
        | {"latency": latency}
        | ({} if answer_tokens is None else {"answer_tokens": answer_tokens})
        for n in range(count)
    ]
    embeddings = {"name": "embeddings", "account": "account0", "model": "text-embedding-3-small", "kind": "embeddings"}
    return {
        "accounts": [{"name": f"account{n}", "region": f"region{n}"} for n in range(count)],
        "deployments": [*chat, embeddings | limits | {"tier": "standard", "latency": latency}],
    }


@dataclass
class Stack:
    """Broker, store, model and app. Ports stay the same when a part is started again."""

    folder: Path
    models: dict[str, Any] = field(default_factory=deployments)
    settings: dict[str, str] = field(default_factory=dict)
    host_options: tuple[str, ...] = ()
    lock: str = "PT1M"
    durable: bool = True
    insights: bool = False
    parts: dict[str, Service] = field(default_factory=dict)

    def start(self) -> "Stack":
        self.start_services().start_app()
        return self

    def start_services(self) -> "Stack":
        """Everything but the app."""
        for part in ("broker", "store", "model"):
            getattr(self, f"start_{part}")()
        if self.insights:
            self._start("insights", "local.insights", *self._data("insights"))
        provision(self.parts["store"].url, STORE_KEY, "spillway")
        return self

    def _data(self, part: str) -> tuple[str, ...]:
        return ("--data", str(self.folder / part)) if self.durable else ()

    def _start(self, part: str, module: str, *arguments: str, **options: Any) -> Service:
        before = self.parts.get(part)
        port = str(before.port) if before else "0"
        self.parts[part] = start(module, "--port", port, *arguments, folder=self.folder, name=part, **options)
        return self.parts[part]

    def start_broker(self) -> Service:
        config = queues(self.folder, lock=self.lock)
        return self._start("broker", "local.servicebus", "--config", str(config), *self._data("broker"))

    def start_store(self) -> Service:
        return self._start("store", "local.cosmos", *self._data("store"))

    def start_model(self) -> Service:
        config = self.folder / "models.json"
        config.write_text(json.dumps(self.models))
        return self._start("model", "local.openai", "--config", str(config))

    def start_app(self, part: str = "app", *options: str) -> Service:
        return self._start(
            part,
            "local.host",
            "--app",
            ".",
            "--data",
            str(self.folder / part),
            *(options or self.host_options),
            environment=self.environment(),
        )

    def environment(self) -> dict[str, str]:
        model = self.parts["model"].url
        accounts = {account["name"]: account["region"] for account in self.models["accounts"]}
        entries = [
            {key: value for key, value in entry.items() if key not in {"account", "latency", "answer_tokens"}}
            | {"endpoint": f"{model}/{entry['account']}/openai/v1", "region": accounts[entry["account"]]}
            for entry in self.models["deployments"]
        ]
        connection = (
            f"Endpoint=sb://localhost:{self.parts['broker'].port};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true"
        )
        return {
            "ServiceBusConnection": connection,
            "COSMOS_ENDPOINT": self.parts["store"].url,
            "COSMOS_KEY": STORE_KEY,
            "SPILLWAY_OPENAI_KEY": "local-openai-key",
            "SPILLWAY_API_KEYS": api_keys(),
            "SPILLWAY_DEPLOYMENTS": json.dumps(entries),
            "SPILLWAY_SWEEP_SCHEDULE": "*/2 * * * * *",
            **(telemetry_settings(self.parts["insights"].ready, self.folder / "temporary") if self.insights else {}),
            **self.settings,
        }

    @property
    def url(self) -> str:
        return self.parts["app"].url

    def client(self, key: str | None = USER, **options: Any) -> httpx2.Client:
        headers = {} if key is None else {"x-functions-key": key}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60, **options)

    def calls(self, deployment: str | None = None) -> list[dict[str, Any]]:
        """The simulator's own account of chat calls."""
        calls: list[dict[str, Any]] = httpx2.get(f"{self.parts['model'].url}/_sim/calls").json()["calls"]
        wanted = [call for call in calls if call["deployment"].startswith("chat")]
        return [call for call in wanted if deployment in {None, call["deployment"]}]

    def turns(self) -> list[dict[str, Any]]:
        """All turns in the store, read past the app."""
        with CosmosClient(self.parts["store"].url, credential=STORE_KEY) as store:
            container = store.get_database_client("spillway").get_container_client("turns")
            return list(container.query_items("SELECT * FROM c", enable_cross_partition_query=True))

    def fault(self, **fault: Any) -> None:
        httpx2.post(f"{self.parts['model'].url}/_sim/faults", json=fault).raise_for_status()

    def calm(self) -> None:
        httpx2.delete(f"{self.parts['model'].url}/_sim/faults").raise_for_status()

    def stop(self) -> None:
        for part in reversed(self.parts.values()):
            part.stop()


@dataclass
class Answer:
    """One streamed answer as the caller saw it."""

    events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    text: str = ""

    def take(self, sequence: int, name: str, data: dict[str, Any]) -> None:
        self.events.append((sequence, name, data))
        if name == "delta":
            self.text += data["text"]
        elif name == "restart":
            self.text = ""

    @property
    def names(self) -> list[str]:
        return [name for _, name, _ in self.events]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1][2]


def events(lines: Any) -> Any:
    """Server-sent events of a response's lines, as (id, name, data)."""
    sequence, name = 0, ""
    for line in lines:
        if line.startswith("id: "):
            sequence = int(line[4:])
        elif line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield sequence, name, json.loads(line[6:])


def ask(
    client: httpx2.Client,
    message: str = "Hello",
    *,
    headers: dict[str, str] | None = None,
    into: Answer | None = None,
    **body: Any,
) -> Answer:
    """Asks a question and reads the stream to its end; `into` can be watched meanwhile."""
    answer = Answer() if into is None else into
    accept = {"accept": "text/event-stream", **(headers or {})}
    with client.stream("POST", "/api/chat", json={"message": message, **body}, headers=accept) as response:
        if response.status_code != 200:
            raise AssertionError(response.read().decode())
        for event in events(response.iter_lines()):
            answer.take(*event)
    return answer
