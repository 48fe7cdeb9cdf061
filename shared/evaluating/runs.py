"""An evaluation run: what was asked for, how far it is, and what came out. Its records in the store."""

import dataclasses
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

RUN_ID = "run"
"""Id of the run's own document; its partition is the run."""
MOST_ITEMS = 2_000
TTL_SECONDS = 90 * 86_400


class RunState(StrEnum):
    """Where a run is in its life."""

    COLLECTING = "collecting"
    """Takes items; nothing is asked yet."""
    RUNNING = "running"
    CLOSING = "closing"
    """One worker makes the verdict; nothing else happens any more."""
    FINISHED = "finished"
    """Every chosen item was asked and scored."""
    STOPPED = "stopped"
    """Ended before all items were done: the budget is used up, or it took too long."""
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """True when nothing more happens."""
        return self in {RunState.FINISHED, RunState.STOPPED, RunState.CANCELLED}


WAITING, DONE = "waiting", "done"
"""The states of an item."""


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """A run as it is stored. Times are seconds since 1970.

    Attributes:
        suite: Name of a public test set; empty when the items were given.
        complete: No more items will be given.
        sample_size: How many of the items are asked; None for all.
        seed: Of the draw and of shuffled choices.
        use_context: Ask as users do, with history and knowledge.
        max_calls: Most judge calls; None without bound.
        max_cost_usd: Most money for judges, likewise.
        gates: Demands, each with the fields of `shared.evaluation.gates.Gate`.
        judge_bar: What the judge must reach, the fields of `shared.evaluation.trust.TrustBar`; None does not ask.
        compare_judge: Its items were labelled by people, and its outcome says how far the judge agrees.
        regression_level: Chance of calling any unchanged measure worse than the baseline.
        baseline_run: An earlier run to compare with.
        population: How many items there are to choose from.
        planned: How many were chosen; None before that.
        started: How many of them a message was sent for.
        concurrency: How many are under way at a time.
        calls: Judge calls made; `reserved_calls` are promised to items under way. Money likewise.
        decision: GO, HOLD or NO-GO, once it is over and had gates.
        stopped: Why it ended early.
        dataset: Name and version of the items.
    """

    run_id: str
    tenant: str
    name: str
    created_at: float
    deadline_at: float
    evaluators: tuple[str, ...]
    state: RunState = RunState.COLLECTING
    complete: bool = False
    suite: str = ""
    dataset: str = ""
    sample_size: int | None = None
    seed: int = 0
    model: str | None = None
    use_context: bool = True
    max_calls: int | None = None
    max_calls_per_hour: int | None = None
    max_cost_usd: float | None = None
    gates: tuple[dict[str, Any], ...] = ()
    judge_bar: dict[str, Any] | None = None
    compare_judge: bool = False
    regression_level: float = 0.05
    baseline_run: str | None = None
    population: int = 0
    planned: int | None = None
    started: int = 0
    concurrency: int = 16
    calls: int = 0
    reserved_calls: int = 0
    cost_usd: float = 0.0
    reserved_cost_usd: float = 0.0
    decision: str | None = None
    reasons: tuple[str, ...] = ()
    stopped: str = ""
    finished_at: float | None = None
    fingerprint: str = ""

    def to_document(self) -> dict[str, Any]:
        """The run as a JSON object for the store."""
        return {**dataclasses.asdict(self), "id": RUN_ID, "run": self.run_id, "kind": "run", "ttl": TTL_SECONDS}


def run_of(document: dict[str, Any]) -> EvaluationRun:
    """Reads what `to_document` wrote."""
    known = {entry.name for entry in dataclasses.fields(EvaluationRun)}
    values = {name: value for name, value in document.items() if name in known}
    values["state"] = RunState(document["state"])
    for name in ("evaluators", "gates", "reasons"):
        values[name] = tuple(document[name])
    for name in ("calls", "reserved_calls", "started"):
        values[name] = int(document[name])
    return EvaluationRun(**values)


@dataclass(frozen=True, slots=True)
class RunItem:
    """One question of a run as it is stored.

    Attributes:
        prompt: What the app is asked; differs from the question for multiple choice.
        answer: An answer that is there already; None asks the app.
        record: The fields of `shared.evaluation.records.Item`.
        evaluators: Those of the run's that this item is scored with; None for all.
        judge_tries: How often judging was put off because the judge was busy.
    """

    run_id: str
    item_id: str
    prompt: str
    record: dict[str, Any] = field(default_factory=dict)
    evaluators: tuple[str, ...] | None = None
    answer: str | None = None
    state: str = WAITING
    touched_at: float = 0.0
    tries: int = 0
    judge_tries: int = 0

    @property
    def document_id(self) -> str:
        """The item's id in the store."""
        return item_document_id(self.item_id)

    def to_document(self) -> dict[str, Any]:
        """The item as a JSON object for the store."""
        return {
            **dataclasses.asdict(self),
            "id": self.document_id,
            "run": self.run_id,
            "kind": "item",
            "ttl": TTL_SECONDS,
        }


def item_of(document: dict[str, Any]) -> RunItem:
    """Reads what `to_document` wrote."""
    known = {entry.name for entry in dataclasses.fields(RunItem)}
    values = {name: value for name, value in document.items() if name in known}
    if values.get("evaluators") is not None:
        values["evaluators"] = tuple(values["evaluators"])
    return RunItem(**values)


def item_document_id(item_id: str) -> str:
    """A store id that any item id can have: some characters are not allowed there."""
    return f"item-{hashlib.sha256(item_id.encode()).hexdigest()[:24]}"


def session_of(run_id: str, item_id: str) -> str:
    """The session an item is asked in: one of its own, so that items do not see each other."""
    return f"{SESSION_PREFIX}{run_id[:16]}-{hashlib.sha256(item_id.encode()).hexdigest()[:16]}"


SESSION_PREFIX = "evaluation-"
"""Turns of these sessions are no production traffic and are never sampled."""
