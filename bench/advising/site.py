"""An installation on local Azure whose parts can be made slow and quick again while it runs."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.acceptance.stack import MODEL, OPERATOR, Stack
from tests.processes import ROOT

DOCUMENTS = (
    {"id": "returns", "title": "Returns", "text": "You can return any item within 45 days of delivery."},
    {"id": "shipping", "title": "Shipping", "text": "Standard shipping costs 4.90 euros and takes three working days."},
)
QUESTIONS = ("Within how many days can I return an item?", "What does standard shipping cost?")
PADDING = "I asked the same at the counter of the shop and was told to write to you about it here today. "
LATENCY = {
    "time_to_first_token_ms": 60,
    "per_prompt_token_ms": 0,
    "between_tokens_ms": 3,
    "spread": 0.1,
    "round_trip_ms": 2,
}
ANSWER_TOKENS = 40
QUIET = "0 0 0 1 1 *"
ONE_PROCESS = (
    *("--instances", "http=1", "--instances", "function:answer_interactive=1"),
    *("--instances", "function:answer_standard=0", "--instances", "function:answer_batch=0"),
    *("--instances", "function:score_answer=0"),
)
"""What the cases need: one process for callers, one for turns that slept."""


def models() -> dict[str, Any]:
    """Two deployments of one pool: `first` is preferred because it is provisioned, `second` takes what it refuses."""
    common = {"model": MODEL, "kind": "chat", "tokens_per_minute": 3_000_000, "requests_per_minute": 60_000}
    chat = {"latency": LATENCY, "answer_tokens": ANSWER_TOKENS}
    quick = {**LATENCY, "time_to_first_token_ms": 8}
    embeddings = {"model": "text-embedding-3-small", "kind": "embeddings", "tier": "standard", "latency": quick}
    return {
        "accounts": [{"name": "one", "region": "region1"}, {"name": "two", "region": "region2"}],
        "deployments": [
            {"name": "first", "account": "one", "tier": "provisioned", **common, **chat},
            {"name": "second", "account": "two", "tier": "standard", **common, **chat},
            {"name": "embeddings", "account": "two", **common, **embeddings},
        ],
    }


@dataclass
class Site:
    """The running installation, and the callers' stopwatch."""

    folder: Path
    stack: Stack = field(init=False)

    def __post_init__(self) -> None:
        """Says what the installation is made of."""
        self.stack = Stack(
            self.folder,
            models=models(),
            settings={"SPILLWAY_SWEEP_SCHEDULE": QUIET, "SPILLWAY_SAMPLE_SHARE": "0"},
            host_options=("--app", ".", *ONE_PROCESS),
        )

    def start(self) -> "Site":
        """Starts everything and stores what answers are made of."""
        self.stack.start()
        with self.stack.client(OPERATOR) as operator:
            operator.put("/api/knowledge", json={"documents": list(DOCUMENTS)}).raise_for_status()
        return self

    def restart_app(self, *, app: Path | None = None, **settings: str) -> None:
        """Stops the app and starts it with these settings more, from another folder when one is given."""
        self.stack.parts["app"].stop()
        before = dict(self.stack.settings)
        self.stack.settings.update(settings)
        options = ("--app", str(app or "."), *ONE_PROCESS)
        self.stack.start_app("app", *options)
        self.stack.settings = before

    def deployment(self, name: str, **change: Any) -> None:
        """Changes settings of a deployment; latencies that are not named stay."""
        httpx2.patch(f"{self._model}/_sim/deployments/{name}", json=change).raise_for_status()

    def busy(self, share: float, *, deployment: str, retry_after_ms: float) -> None:
        """A deployment refuses this share of its calls."""
        self.stack.fault(
            kind="quota", deployment=deployment, probability=share, retry_after_ms=retry_after_ms, headers="ms"
        )

    def calm(self) -> None:
        """Nothing is wrong any more."""
        self.stack.calm()
        httpx2.delete(f"{self._store}/_sim/faults").raise_for_status()
        for name in ("first", "second"):
            self.deployment(name, latency=LATENCY, answer_tokens=ANSWER_TOKENS)

    def slow_store(self, container: str, delay_ms: int, operation: str | None = None) -> None:
        """Requests to a container take longer."""
        fault = {"container": container, "delay_ms": delay_ms, "count": 1_000_000}
        fault |= {} if operation is None else {"operation": operation}
        httpx2.post(f"{self._store}/_sim/faults", json=fault).raise_for_status()

    @property
    def _model(self) -> str:
        return self.stack.parts["model"].url

    @property
    def _store(self) -> str:
        return self.stack.parts["store"].url

    def ask(
        self, number: int, *, lane: str = "interactive", padding: int = 0, upload_seconds: float = 0.0, **body: Any
    ) -> tuple[str, float]:
        """Asks one question; its turn's id, and what the caller waited in milliseconds."""
        message = PADDING * padding + QUESTIONS[number % len(QUESTIONS)]
        content = json.dumps({"message": message, "lane": lane, **body}).encode()
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        with self.stack.client() as client:
            client.get("/api/health/live").raise_for_status()  # the connection is there before the watch runs
            headers["x-spillway-sent-at"] = f"{time.time():.6f}"
            began = time.perf_counter()
            with client.stream("POST", "/api/chat", content=_sent(content, upload_seconds), headers=headers) as reply:
                text = "".join(reply.iter_text())
            waited = (time.perf_counter() - began) * 1000
        if "event: done" not in text:
            raise RuntimeError(f"the turn was not answered: {text[-500:]}")
        return str(reply.headers["x-spillway-turn-id"]), waited

    def session(self) -> str:
        """A conversation with something in it."""
        session = uuid.uuid4().hex
        for number in range(2):
            self.ask(number, session_id=session)
        return session

    def records(self, turn_ids: list[str]) -> list[dict[str, Any]]:
        """What the store holds of these turns, in this order."""
        found = {turn["id"]: turn for turn in self.stack.turns()}
        return [found[turn_id] for turn_id in turn_ids]

    def stop(self) -> None:
        """Stops everything."""
        self.stack.stop()


def broken_app(folder: Path) -> Path:
    """A folder whose app is the real one with its context steps one after the other."""
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in {"function_app.py", ".git"}:
            (folder / entry.name).symlink_to(entry)
    (folder / "spillway_app.py").symlink_to(ROOT / "function_app.py")
    (folder / "function_app.py").write_text((Path(__file__).parent / "one_by_one.template").read_text(encoding="utf-8"))
    return folder


def _sent(content: bytes, seconds: float) -> Iterator[bytes]:
    """The body in two parts with a pause between them."""
    yield content[:10]
    time.sleep(seconds)
    yield content[10:]
