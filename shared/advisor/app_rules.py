"""Causes in the app and around it: context steps, cold starts, the store, the caller, the relay."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from shared.advisor.finding import Basis, Finding, Needs
from shared.advisor.journeys import Journey
from shared.advisor.numbers import quantile
from shared.timelines import stages
from shared.timelines.critical_path import TOLERANCE_MS, least_ms, span_ms

STEP_MS = {"history": 15.0, "embedding": 60.0, "search": 30.0}
OTHER_STEP_MS = 50.0
"""What a healthy step takes within one region; a quicker one in the sample counts instead."""
WRITE_MS = 10.0
"""Cosmos DB promises 10 ms for a point read or write of 1 KB at the 99th percentile. Source: Azure Cosmos DB, SLA."""
SEND_MS, UPLOAD_MS, RELAY_MS = 100.0, 20.0, 50.0
WRITES = {stages.STORE_ACCEPT: 1, stages.DISPATCH: 1, stages.STORE: 1}
"""Writes in each stage; the record's `store` has one of its two."""
WAITS = frozenset({stages.STREAM, stages.QUEUE, stages.DEFERRAL, stages.EARLIER_RUNS, stages.FIRST_TOKEN, stages.RETRY})
"""Stages whose length says nothing of a cold start."""


def sequential_context(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Context steps that ran one after the other though none needed the other."""
    saved = []
    for turn in turns:
        leaves = leaf_steps(turn)
        gain = span_ms(leaves) - least_ms(leaves)
        saved.append(min(gain, turn.of(stages.CONTEXT)) if gain > TOLERANCE_MS else 0.0)
    change = "Run the steps of the context side by side; only those named in `needs` have to wait for another."
    names = sorted({str(step["name"]) for turn in turns for step in leaf_steps(turn)})
    return [Finding("sequential_context", "", change, saved, Basis.MEASURED, {"steps": names})]


def slow_context(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """A step that the turn waited for and that takes longer than such a step should."""
    found = []
    for name in sorted({str(step["name"]) for turn in turns for step in leaf_steps(turn)}):
        lengths = [float(step["duration_ms"]) for turn in turns for step in leaf_steps(turn) if step["name"] == name]
        healthy = min(STEP_MS.get(name, OTHER_STEP_MS), quantile(lengths, 0.1))
        saved = [_if_step_took(turn, name, healthy) for turn in turns]
        change = f"Make the context step {name} quicker, or give it a shorter time budget."
        numbers = {"median_ms": median(lengths), "healthy_ms": healthy, "n": len(lengths)}
        basis = Basis.MEASURED if quantile(lengths, 0.1) <= STEP_MS.get(name, OTHER_STEP_MS) else Basis.ASSUMED
        found.append(Finding("slow_context", name, change, saved, basis, numbers))
    return found


def leaf_steps(turn: Journey) -> list[Mapping[str, Any]]:
    """The steps that have none inside them."""
    outer = {step.get("part_of") for step in turn.steps}
    return [step for step in turn.steps if step["name"] not in outer]


def _if_step_took(turn: Journey, name: str, healthy_ms: float) -> float:
    """What the context would have been shorter by; the steps beside it bound that."""
    leaves = leaf_steps(turn)
    own = next((step for step in leaves if step["name"] == name), None)
    if own is None:
        return 0.0
    too_long = float(own["duration_ms"]) - healthy_ms
    after = {name}
    for step in sorted(leaves, key=_start):
        if after & set(step.get("needs", ())):
            after.add(str(step["name"]))
    end = max(_end(step) for step in leaves)
    chain = max(_end(step) for step in leaves if step["name"] in after)
    beside = max((_end(step) for step in leaves if step["name"] not in after), default=0.0)
    return max(0.0, min(too_long, end - beside)) if chain >= end - TOLERANCE_MS else 0.0


def _start(step: Mapping[str, Any]) -> float:
    return float(step["start_ms"])


def _end(step: Mapping[str, Any]) -> float:
    return float(step["start_ms"]) + float(step["duration_ms"])


def cold_start(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """First invocations of a process, against the others of the same path."""
    warm: dict[str, dict[str, float]] = {}
    for path in {turn.path for turn in turns}:
        others = [turn for turn in turns if turn.path == path and not turn.cold]
        if others:
            warm[path] = {name: median(turn.of(name) for turn in others) for name in stages.STAGES}
    saved = [_colder(turn, warm[turn.path]) if turn.cold and turn.path in warm else 0.0 for turn in turns]
    change = "Keep instances ready (always ready on Flex Consumption), and import less before the first answer."
    numbers = {"cold_turns": sum(turn.cold for turn in turns)}
    return [Finding("cold_start", "", change, saved, Basis.MEASURED, numbers)]


def _colder(turn: Journey, warm: Mapping[str, float]) -> float:
    return sum(max(0.0, turn.of(name) - warm[name]) for name in stages.STAGES if name not in WAITS)


def slow_store(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Writes that take longer than the store promises."""
    warm = [turn for turn in turns if not turn.cold]
    healthy = {
        name: min(WRITE_MS * writes, quantile([turn.of(name) for turn in warm], 0.1)) for name, writes in WRITES.items()
    }
    change = "Bring store and app into one region, and give the store the throughput that it needs (look for 429s)."
    saved = []
    for turn in turns:
        # A direct turn is taken without a write.
        names = [name for name in WRITES if name != stages.DISPATCH or turn.path == "queued"]
        late = {name: _above(turn.of(name), healthy[name], WRITE_MS * WRITES[name]) for name in names}
        last = 0.0 if turn.complete else late[stages.STORE]
        saved.append(0.0 if turn.cold else sum(late.values()) + last)
    medians = {f"{name}_ms": median(turn.of(name) for turn in turns) for name in WRITES}
    return [Finding("slow_store", "", change, saved, Basis.ASSUMED, medians)]


def _above(length: float, healthy: float, promised: float) -> float:
    """What is too long; nothing as long as the promise is kept."""
    return length - healthy if length > promised else 0.0


def slow_client(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Callers whose question takes long to arrive."""
    saved = [
        max(0.0, turn.of(stages.CLIENT_SEND) - SEND_MS) + max(0.0, turn.of(stages.RECEIVE) - UPLOAD_MS)
        for turn in turns
        if not turn.cold
    ]
    placed = iter(saved)
    aligned = [0.0 if turn.cold else next(placed) for turn in turns]
    change = "Send less with a question (let sessions keep the history), reuse connections, put the door near callers."
    numbers = {
        "client_send_ms": median(turn.of(stages.CLIENT_SEND) for turn in turns),
        "receive_ms": median(turn.of(stages.RECEIVE) for turn in turns),
    }
    return [Finding("slow_client", "", change, aligned, Basis.ASSUMED, numbers)]


def slow_relay(turns: Sequence[Journey], _needs: Needs) -> list[Finding]:
    """Answers that take long from the worker to the caller's instance."""
    saved = [max(0.0, turn.of(stages.RELAY) - RELAY_MS) if turn.complete else 0.0 for turn in turns]
    change = "Look at the relay: the namespace's throttling and the instances' load."
    return [Finding("slow_relay", "", change, saved, Basis.ASSUMED, {"n": sum(turn.complete for turn in turns)})]
