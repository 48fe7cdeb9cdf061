"""A second call beside one whose first token is late: who wins, what becomes of the other, and what it costs."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from shared.capacity.calls import Answering, Calls, Refused
from shared.capacity.capacity import Capacity, Want
from shared.operating.operations import Switches
from shared.policies.classify import Cause, Outcome, Verdict
from shared.policies.hedging import LEAST_SAMPLES, PER_TOKEN
from shared.policies.spill import SpillRule
from shared.ports import Chunk, ModelRefusal, ModelRequest, ModelStream
from shared.settings import Deployment
from shared.telemetry.facts import AttemptEnded
from shared.telemetry.recorder import Recorder
from shared.turns import Lane, Message
from tests.unit.fleet import MemoryLedger, VirtualClock
from tests.unit.samples import a_turn

T = TypeVar("T")
TOKENS = 400.0
USUAL = 0.2
DEADLINE = 1.5 * USUAL
NAMES = ("a", "b", "c")
BUSY = ModelRefusal(503, None, "away", {})
FILTERED = ModelRefusal(400, "content_filter", "The response was filtered", {})
Plan = Callable[[str], float | ModelRefusal]
"""For a deployment, the seconds until its first token, or how it refuses."""


@dataclass
class FakeStream:
    """An answer that comes at its time."""

    clock: VirtualClock
    deployment: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    closed: int = 0

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        await self.clock.sleep(self.seconds)
        yield Chunk(f"from {self.deployment}")
        yield Chunk(finish_reason="stop")

    async def close(self) -> None:
        self.closed += 1


@dataclass
class FakeModels:
    """Deployments that answer as the test plans it."""

    clock: VirtualClock
    plan: Plan
    opened: list[FakeStream] = field(default_factory=list)
    asked: list[tuple[str, float]] = field(default_factory=list)

    async def open(self, deployment: Deployment, request: ModelRequest) -> ModelStream:
        self.asked.append((deployment.name, self.clock.monotonic()))
        planned = self.plan(deployment.name)
        if isinstance(planned, ModelRefusal):
            await self.clock.sleep(float(planned.headers.get("after", "0.01")))
            raise planned
        stream = FakeStream(self.clock, deployment.name, planned)
        self.opened.append(stream)
        return stream


class World:
    """One instance with three deployments whose usual first token takes USUAL, and budget for some second calls."""

    def __init__(self, *, larger: bool = False) -> None:
        random.seed(1)
        self.clock = VirtualClock()
        self.ledger = MemoryLedger(self.clock)
        names = (*NAMES, "larger") if larger else NAMES
        self.capacity = Capacity(
            [Deployment(name, "m" if name in NAMES else name, "http://127.0.0.1:1/", name) for name in names],
            ledger=self.ledger,
            clock=self.clock,
            share=1.0,
            switches=Switches(self.ledger, self.clock),
            spill={"m": SpillRule(("larger",))} if larger else {},
            costs={"m": 1.0, "larger": 1.0},
        )
        self.recorder = Recorder()
        self.models = FakeModels(self.clock, lambda _name: USUAL)
        self.calls = Calls(models=self.models, capacity=self.capacity, clock=self.clock, observer=self.recorder)
        self.entries: list[dict[str, Any]] = []
        self.want = Want("m", Lane.INTERACTIVE, "contoso", TOKENS)

    def learn(self, *, first_calls: int = 100) -> "World":
        for number in range(first_calls):
            self.capacity.first_token_deadline_seconds(self.want, "a")
            self.capacity.answered(NAMES[number % 3], USUAL)
        return self

    def call(self, name: str = "a") -> "asyncio.Task[Answering]":
        request = ModelRequest("t", [Message("user", "Hello")], 100)
        return asyncio.create_task(self.calls.first_token(a_turn(), request, self.want, name, self.entries))

    async def answered(self, question: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(question)
        await self.after(0.2)
        return await task

    async def after(self, seconds: float) -> None:
        await self.clock.run_until(self.clock.time + seconds)

    @property
    def outcomes(self) -> dict[str, str]:
        return {entry["deployment"]: entry["outcome"] for entry in self.entries}

    @property
    def told(self) -> dict[str, str]:
        return {fact.deployment: fact.outcome for fact in self.recorder.of(AttemptEnded)}

    def streams(self) -> dict[str, int]:
        return {stream.deployment: stream.closed for stream in self.models.opened}


def slow(name: str, seconds: float = 8.0, others: float | ModelRefusal = USUAL) -> Plan:
    return lambda asked: seconds if asked == name else others


async def test_a_call_in_time_has_no_second_one() -> None:
    world = World().learn()
    call = world.call()
    await world.after(5)

    assert (await call).first.text == "from a"
    assert [name for name, _ in world.models.asked] == ["a"]
    assert world.outcomes == {"a": "success"}


async def test_a_late_first_token_is_overtaken_and_the_late_call_is_closed_and_accounted_for() -> None:
    world = World().learn()
    world.models.plan = slow("a")
    spare = world.capacity._hedges.tokens
    call, began = world.call(), world.clock.monotonic()
    await world.after(DEADLINE + 1)

    answering = call.result()
    (_, asked), (other, asked_too) = world.models.asked
    assert answering.first.text == f"from {other}"
    assert asked_too - asked == pytest.approx(DEADLINE, abs=0.05)
    assert world.clock.monotonic() - began < 8
    assert world.streams() == {"a": 1, other: 0}
    assert world.outcomes == {"a": "abandoned", other: "success"}
    assert {entry["deployment"] for entry in world.entries if entry.get("hedge")} == {other}
    assert world.told == {"a": "abandoned"}
    assert world.capacity._hedges.tokens == pytest.approx(spare + PER_TOKEN * TOKENS - TOKENS)
    spent = {entry["name"]: entry["spent_tokens_by_this_instance"] for entry in world.capacity.describe()}
    assert spent[other] == TOKENS
    await world.capacity.close()


async def test_without_spare_budget_nobody_else_is_asked() -> None:
    world = World().learn(first_calls=LEAST_SAMPLES)
    world.models.plan = slow("a")
    call = world.call()
    await world.after(9)

    assert (await call).first.text == "from a"
    assert [name for name, _ in world.models.asked] == ["a"]


async def test_a_second_call_is_not_spilled_to_another_model() -> None:
    world = World(larger=True).learn()
    for name in ("b", "c"):
        world.capacity.refused(name, Verdict(Outcome.IGNORED, Cause.SERVER_FAULT, retryable=True), epoch=0)
    first = await world.answered(world.capacity.acquire(world.want, tried=frozenset({"a"})))
    second = await world.answered(world.capacity.acquire_spare(world.want, beside="a"))

    assert first.name == "larger"
    assert second is None
    await world.capacity.close()


@pytest.mark.parametrize("quicker", ["a", "second"])
async def test_the_first_token_counts_whoever_sends_it_and_the_others_stream_is_closed(quicker: str) -> None:
    """The first call answers just after the second was made, or just after the second answered."""
    world = World().learn()
    world.models.plan = slow("a", DEADLINE + (0.1 if quicker == "a" else USUAL + 0.1))
    call = world.call()
    await world.after(3)

    answering = call.result()
    other = world.models.asked[1][0]
    winner, loser = ("a", other) if quicker == "a" else (other, "a")
    assert answering.deployment.name == winner
    assert world.streams() == {winner: 0, loser: 1}
    assert world.outcomes == {winner: "success", loser: "abandoned"}
    await world.capacity.close()


async def test_when_both_answer_at_once_one_is_kept_and_the_other_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World().learn()
    monkeypatch.setattr(world.capacity, "acquire_spare", at_once)
    world.models.plan = slow("a", DEADLINE + USUAL)
    call = world.call()
    await world.after(3)

    answering = call.result()
    loser = "b" if answering.deployment.name == "a" else "a"
    assert world.streams() == {answering.deployment.name: 0, loser: 1}
    assert world.outcomes == {answering.deployment.name: "success", loser: "abandoned"}
    assert world.told == {loser: "abandoned"}


async def at_once(_want: Want, *, beside: str) -> str | None:
    return "c" if beside == "b" else "b"


async def test_a_first_token_is_not_held_up_by_the_ledger_that_is_asked_for_a_second_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World().learn()

    async def never(_want: Want, *, beside: str) -> str | None:
        await world.clock.sleep(60)
        return "b"

    monkeypatch.setattr(world.capacity, "acquire_spare", never)
    world.models.plan = slow("a", DEADLINE + 0.1)
    call = world.call()
    await world.after(DEADLINE + 0.2)

    assert call.result().first.text == "from a"
    assert [name for name, _ in world.models.asked] == ["a"]


async def test_budget_that_is_spare_later_is_used_later() -> None:
    world = World().learn(first_calls=LEAST_SAMPLES)
    world.models.plan = slow("a")
    call = world.call()
    await world.after(2)
    world.learn()
    await world.after(1)

    assert call.result().first.text != "from a"
    assert world.streams()["a"] == 1
    await world.capacity.close()


async def test_a_process_that_was_too_busy_to_look_does_not_blame_the_deployment() -> None:
    world = World().learn()
    world.models.plan = slow("a", DEADLINE + 0.1)
    call = world.call()
    await world.after(DEADLINE - 0.05)
    world.clock.time += 0.15
    await world.after(2)

    assert call.result().first.text == "from a"
    assert [name for name, _ in world.models.asked] == ["a"]
    assert world.capacity.describe()[0]["late_share"] == 0


async def test_when_the_second_fails_the_first_is_waited_for() -> None:
    world = World().learn()
    world.models.plan = slow("a", 2.0, BUSY)
    call = world.call()
    await world.after(5)

    other = world.models.asked[1][0]
    assert call.result().first.text == "from a"
    assert world.outcomes == {other: "ignored", "a": "success"}
    assert world.streams() == {"a": 0}
    await world.capacity.close()


async def test_when_the_first_fails_after_the_second_began_the_second_is_waited_for() -> None:
    world = World().learn()
    late = ModelRefusal(503, None, "away", {"after": str(DEADLINE + 0.05)})
    world.models.plan = lambda name: late if name == "a" else USUAL
    call = world.call()
    await world.after(5)

    other = world.models.asked[1][0]
    assert call.result().first.text == f"from {other}"
    assert world.outcomes == {"a": "ignored", other: "success"}
    await world.capacity.close()


async def test_a_call_that_fails_before_its_deadline_fails_at_once() -> None:
    world = World().learn()
    world.models.plan = lambda _name: BUSY
    call = world.call()
    await world.after(0.05)

    assert isinstance(call.exception(), Refused)
    assert [name for name, _ in world.models.asked] == ["a"]


@pytest.mark.parametrize(
    ("first", "second", "raised"), [(BUSY, BUSY, 503), (FILTERED, BUSY, 400), (BUSY, FILTERED, 400)]
)
async def test_when_both_fail_the_refusal_that_would_meet_others_too_is_raised(
    first: ModelRefusal, second: ModelRefusal, raised: int
) -> None:
    world = World().learn()
    late = ModelRefusal(first.status, first.code, first.message, {"after": "1"})
    world.models.plan = lambda name: late if name == "a" else second
    call = world.call()
    await world.after(5)

    refused = call.exception()
    assert isinstance(refused, Refused)
    assert refused.refusal.status == raised
    assert len(world.entries) == 2
    await world.capacity.close()


@pytest.mark.parametrize("moment", [DEADLINE / 2, DEADLINE + 0.05])
async def test_a_caller_who_leaves_closes_every_call(moment: float) -> None:
    world = World().learn()
    world.models.plan = lambda _name: 8.0
    call = world.call()
    await world.after(moment)
    call.cancel()
    await world.after(1)

    assert call.cancelled()
    assert set(world.streams().values()) == {1}
    assert len(world.streams()) == (1 if moment < DEADLINE else 2)
    assert set(world.told.values()) == set(world.outcomes.values()) == {"abandoned"}
    await world.capacity.close()


async def test_a_fault_nobody_expected_is_raised() -> None:
    world = World().learn()

    def broken(_name: str) -> float:
        raise RuntimeError("a mistake")

    world.models.plan = broken
    call = world.call()
    await world.after(1)

    assert isinstance(call.exception(), RuntimeError)
