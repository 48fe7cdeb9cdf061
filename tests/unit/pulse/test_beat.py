"""Each part of the pulse is done at most once per tick, and a canary is no turn."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.ports import Chunk, ModelRefusal, ModelRequest
from shared.pulse.backlog import BacklogWatch, seen
from shared.pulse.beat import Pulse
from shared.pulse.canary import Canary
from shared.pulse.ports import EndedTurn, Waiting
from shared.pulse.roll_up_turns import TurnRollUp
from shared.pulse.ticks import Ticks
from shared.settings import Deployment
from shared.telemetry.facts import BacklogSeen, CanaryEnded
from shared.telemetry.recorder import Recorder
from shared.turns import Lane, Usage
from tests.unit.evaluating.support import HeldClock, MemoryMetrics

NOW = 1_700_000_040.0


@dataclass
class Stream:
    """An answer, whole or broken off."""

    chunks: Sequence[Chunk]
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        for chunk in self.chunks:
            yield chunk

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Models:
    """Deployments that answer, refuse, break off or are silent."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def open(self, deployment: Deployment, request: ModelRequest) -> Stream:
        assert request.turn_id.startswith("canary-")
        self.asked.append(deployment.name)
        answer = self.answers.get(deployment.name, [Chunk("ready"), Chunk("", "stop", Usage(10, 1))])
        if isinstance(answer, Exception):
            raise answer
        return Stream(answer)


@dataclass
class Records:
    """A store without turns, or one that is away."""

    ended: list[tuple[int, EndedTurn]] = field(default_factory=list)
    away: bool = False
    found: Waiting = field(default_factory=lambda: Waiting(0, 0))
    looked: Counter[str] = field(default_factory=Counter)

    async def minutes_ended_since(self, since: float) -> set[int]:
        self.looked["roll up"] += 1
        return {minute for minute, _ in self.ended}

    async def ended_within(self, minute: int) -> list[EndedTurn]:
        return [turn for of, turn in self.ended if of == minute]

    async def waiting(self, lane: Lane, now: float) -> Waiting:
        if self.away:
            raise Unavailable
        self.looked[lane.value] += 1
        return self.found


@dataclass
class Switches:
    """What operators have switched, known once somebody has looked."""

    draining: set[str] = field(default_factory=set)
    paused: set[Lane] = field(default_factory=set)
    looked: int = 0

    async def look(self) -> None:
        self.looked += 1

    def drains(self, deployment: str) -> bool:
        return self.looked > 0 and deployment in self.draining

    def pauses(self, lane: Lane) -> bool:
        return self.looked > 0 and lane in self.paused


@dataclass
class App:
    """The pulses of several instances over one store."""

    records: Records = field(default_factory=Records)
    models: Models = field(default_factory=Models)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)
    clock: HeldClock = field(default_factory=lambda: HeldClock(NOW))
    recorder: Recorder = field(default_factory=Recorder)
    switches: Switches = field(default_factory=Switches)
    canary_seconds: float = 300.0

    def instance(self) -> Pulse:
        deployments = [Deployment(name, "m", "http://h/", name) for name in ("chat-0", "chat-1")]
        deployments.append(Deployment("vectors", "e", "http://h/", "vectors", kind="embeddings"))
        shared: dict[str, Any] = {"metrics": self.metrics, "clock": self.clock}
        return Pulse(
            ticks=Ticks(self.metrics, self.clock),
            switches=self.switches,
            backlog=BacklogWatch(
                records=self.records, switches=self.switches, clock=self.clock, observer=self.recorder
            ),
            roll_up=TurnRollUp(records=self.records, default_model="m", turn_ttl_seconds=86_400, **shared),
            canary=Canary(
                deployments=deployments,
                models=self.models,
                switches=self.switches,
                observer=self.recorder,
                quiet_seconds=self.canary_seconds,
                **shared,
            ),
            canary_seconds=self.canary_seconds,
        )


async def test_however_many_instances_beat_each_tick_is_done_once() -> None:
    app = App()
    instances = [app.instance() for _ in range(4)]
    for _ in range(10):
        await asyncio.gather(*(one.beat() for one in instances for _ in range(2)))
        app.clock.at += 60

    assert app.records.looked == {"interactive": 10, "standard": 10, "batch": 10, "roll up": 10}
    # Ten minutes touch three periods of five: the first began before they did.
    assert Counter(app.models.asked) == {"chat-0": 3, "chat-1": 3}


async def test_work_of_a_failed_tick_is_done_with_the_next_and_fails_alone() -> None:
    app = App(records=Records(away=True))
    one = app.instance()
    with pytest.raises(Unavailable):
        await one.beat()
    assert app.records.looked == {"roll up": 1}

    app.records.away = False
    app.clock.at += 60
    await one.beat()
    assert app.records.looked["interactive"] == 1


async def test_what_operators_took_out_is_neither_asked_nor_due() -> None:
    app = App(switches=Switches(draining={"chat-1"}, paused={Lane.BATCH}))
    app.records.found = Waiting(3, 2, NOW - 50, (NOW - 30, NOW + 10))
    await app.instance().beat()

    assert app.models.asked == ["chat-0"]
    told = app.recorder.of(BacklogSeen)
    assert {fact.lane: (fact.turns, fact.due) for fact in told} == {
        "interactive": (3, 2),
        "standard": (3, 2),
        "batch": (3, 0),
    }


async def test_no_canary_flies_unless_the_operator_wants_it() -> None:
    app = App(canary_seconds=0.0)
    await app.instance().beat()

    assert app.models.asked == []


async def test_only_deployments_that_answered_no_turn_are_asked_and_nothing_else_is_told_of_it() -> None:
    app = App()
    turn = EndedTurn("contoso", "standard", "queued", "m", "chat-0", "succeeded", Usage(1, 1))
    failed = EndedTurn("contoso", "standard", "queued", "m", "chat-1", "failed", None)
    app.records.ended = [(int(NOW // 60) - 2, turn), (int(NOW // 60) - 2, failed)]
    await app.instance().beat()

    assert app.models.asked == ["chat-1"]
    assert {type(fact) for fact in app.recorder.facts} == {BacklogSeen, CanaryEnded}


@pytest.mark.parametrize(
    ("answer", "outcome", "cause"),
    [
        ([Chunk("ready"), Chunk("", "stop")], "success", None),
        ([Chunk("", "length")], "success", None),
        ([Chunk("rea")], "ignored", "unreachable"),
        (ModelRefusal(500, None, "broken", {}), "ignored", "server_fault"),
        (ModelRefusal(401, None, "no", {}), "ignored", "credential"),
        (ModelRefusal(429, None, "wait", {"retry-after-ms": "100"}), "overload", None),
        (TimeoutError(), "ignored", "unreachable"),
    ],
    ids=["answers", "only thinks", "breaks off", "fault", "credential", "429", "silent"],
)
async def test_what_a_deployment_does_is_told(answer: Any, outcome: str, cause: str | None) -> None:
    app = App(models=Models({"chat-0": answer}))
    await app.instance().beat()

    (told,) = [fact for fact in app.recorder.of(CanaryEnded) if fact.deployment == "chat-0"]
    assert told.outcome == outcome
    assert cause in {None, told.cause}
    assert (told.cause is None) == (outcome == "success")


def test_the_backlog_is_told_in_parts_of_the_deadline() -> None:
    told = seen(Lane.BATCH, Waiting(3, 2, oldest_at=NOW - 50, pressed=(NOW - 30, NOW + 10)), NOW)

    assert told == BacklogSeen("batch", 3, 2, 50, 0.75)
    assert seen(Lane.BATCH, Waiting(0, 0), NOW) == BacklogSeen("batch", 0, 0, 0, 0)
