"""The stack of a soak: the app as Azure scales it, one process a function group, and a hand on every process."""

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.lab.stack import LabStack
from bench.soak import processes
from bench.soak.processes import Sample
from tests.acceptance.stack import MODEL, deployments
from tests.processes import Service

CLOCK = Path(__file__).parent / "clock"
TENANTS = ("contoso", "fabrikam")
OPERATOR = "soak-operator"
PARTS = ("broker", "store", "model", "app")
QUOTA_TOKENS, QUOTA_REQUESTS = 100_000, 1_000
"""Of each of two deployments, a minute; the usual load asks for less than half of it, judging included."""
SETTINGS = {
    "SPILLWAY_KNOWLEDGE_ENABLED": "false",
    "SPILLWAY_MAX_OUTPUT_TOKENS": "200",
    "SPILLWAY_SWEEP_SCHEDULE": "*/5 * * * * *",
    "SPILLWAY_SAMPLE_SHARE": "0.1",
    "SPILLWAY_JUDGE_MODEL": MODEL,
    "SPILLWAY_LEASE_SECONDS": "10",
    "SPILLWAY_CHECKPOINT_SECONDS": "1",
    # A turn may be struck many times here; each strike is a run.
    "SPILLWAY_MAX_RUNS": "20",
    "SPILLWAY_DEADLINE_INTERACTIVE_SECONDS": "300",
    "SPILLWAY_REQUESTS_PER_MINUTE": "0",
}


def key_of(tenant: str) -> str:
    """The tenant's API key."""
    return f"soak-key-of-{tenant}"


def models() -> dict[str, Any]:
    """Two chat deployments of some latency, and one for embeddings."""
    configured = deployments(count=2, between_tokens_ms=60, answer_tokens=60)
    for entry in configured["deployments"]:
        if entry["kind"] == "chat":
            entry |= {"tokens_per_minute": QUOTA_TOKENS, "requests_per_minute": QUOTA_REQUESTS}
            entry["latency"] = {**entry["latency"], "time_to_first_token_ms": 150, "spread": 0.3}
    return configured


def settings() -> dict[str, str]:
    """The app's settings."""
    entries = [
        *({"key": key_of(tenant), "tenant": tenant, "operator": False} for tenant in TENANTS),
        {"key": OPERATOR, "tenant": TENANTS[0], "operator": True},
    ]
    hashed = [
        {"sha256": hashlib.sha256(str(entry.pop("key")).encode()).hexdigest(), **entry} for entry in map(dict, entries)
    ]
    return {**SETTINGS, "SPILLWAY_API_KEYS": json.dumps(hashed)}


@dataclass
class SoakStack(LabStack):
    """Every process can be found, killed, stopped, starved and sent to another time."""

    models: dict[str, Any] = field(default_factory=models)
    settings: dict[str, str] = field(default_factory=settings)
    host_options: tuple[str, ...] = ("--instances", "http=2")
    lock: str = "PT15S"
    _seen: dict[int, float] = field(default_factory=dict)

    @property
    def clocks(self) -> Path:
        """Where each process looks for its clock."""
        folder = self.folder / "clocks"
        folder.mkdir(exist_ok=True)
        return folder

    def _start(self, part: str, module: str, *arguments: str, **options: Any) -> Service:
        path = os.pathsep.join(filter(None, (str(CLOCK), os.environ.get("PYTHONPATH"))))
        clock = {"PYTHONPATH": path, "SPILLWAY_SOAK_CLOCKS": str(self.clocks)}
        environment = {**(options.pop("environment", None) or {}), **clock}
        return super()._start(part, module, *arguments, environment=environment, **options)

    def pids(self) -> dict[str, int]:
        """Process ids by part, instances of the app included; what is down is left out."""
        found = {part: self.parts[part].process.pid for part in PARTS if self.parts[part].process.poll() is None}
        for pid in processes.children(found["app"]) if "app" in found else ():
            if (label := processes.label_of(pid)) is not None:
                found[label] = pid
        return found

    def samples(self, at: float) -> list[Sample]:
        """All processes now."""
        now, found = time.monotonic(), list[Sample]()
        for part, pid in self.pids().items():
            born = self._seen.setdefault(pid, now)
            if (sample := processes.look(at, part, pid, now - born)) is not None:
                found.append(sample)
        return found

    def set_clock(self, pid: int, offset_seconds: float) -> None:
        """Sets the clock of a process forward against the real one; 0 brings it back."""
        partial = self.clocks / f"{pid}.partial"
        partial.write_text(str(offset_seconds))
        partial.replace(self.clocks / str(pid))

    def broker_account(self) -> dict[str, Any]:
        """The broker's counts by queue."""
        return dict(self.snapshot("now", time.time()).broker)
