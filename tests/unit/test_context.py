"""Providers of context: side by side, each in its time, and what the model is told of what they found."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.context.gathering import Context, ContextGatherer
from shared.context.prompt import assemble
from shared.context.providers.base import ContextProvider, Found
from shared.context.providers.history import History
from shared.context.providers.profile import MOST_CHARACTERS, CustomerProfile
from shared.context.providers.registry import context_providers
from shared.context.steps import Steps
from shared.errors import Unavailable
from shared.ports import Passage
from shared.settings import Settings
from shared.telemetry.facts import ContextStepEnded
from shared.telemetry.recorder import Recorder
from shared.turns import Message, Turn
from tests.unit.fleet import VirtualClock
from tests.unit.samples import ENVIRONMENT, a_turn


@dataclass
class Source:
    """A provider as a team would write it."""

    name: str
    clock: VirtualClock
    seconds: float = 0.1
    found: Found = field(default_factory=Found)
    fault: Exception | None = None
    wanted: bool = True

    def applies(self, _turn: Turn) -> bool:
        return self.wanted

    async def gather(self, _turn: Turn, _steps: Steps) -> Found:
        await self.clock.sleep(self.seconds)
        if self.fault is not None:
            raise self.fault
        return self.found


async def gathered(clock: VirtualClock, *providers: ContextProvider, seconds: float = 2.0, **turn: Any) -> Context:
    work = asyncio.create_task(ContextGatherer(providers, clock=clock, seconds=seconds).gather(a_turn(**turn)))
    await clock.run_until(clock.time + 1)
    return await work


async def test_five_steps_of_100_ms_cost_at_most_130_ms_together() -> None:
    clock = VirtualClock()
    context = await gathered(clock, *(Source(f"step{number}", clock) for number in range(5)))

    ends = [step["start_ms"] + step["duration_ms"] for step in context.notes["steps"]]
    assert len(ends) == 5
    assert max(ends) <= 130


async def test_what_is_found_keeps_the_order_of_the_providers_and_not_of_their_speed() -> None:
    clock = VirtualClock()
    slow = Source("slow", clock, 0.3, Found(("one",), (Passage("p1", "", ""),), (Message("user", "m1"),)))
    quick = Source("quick", clock, 0.1, Found(("two",), (Passage("p2", "", ""),), (Message("user", "m2"),)))
    context = await gathered(clock, slow, quick)

    assert context.facts == ["one", "two"]
    assert [passage.id for passage in context.passages] == ["p1", "p2"]
    assert [message.content for message in context.history] == ["m1", "m2"]
    assert [step["name"] for step in context.notes["steps"] if step.get("critical")] == ["slow"]


@pytest.mark.parametrize("fault", [Unavailable(), RuntimeError("a mistake of a provider")])
async def test_a_failing_step_is_dropped_and_named_and_the_others_stay(fault: Exception) -> None:
    clock, recorder = VirtualClock(), Recorder()
    providers = [Source("broken", clock, fault=fault), Source("good", clock, found=Found(("kept",)))]
    gatherer = ContextGatherer(providers, clock=clock, seconds=2.0, observer=recorder)
    work = asyncio.create_task(gatherer.gather(a_turn()))
    await clock.run_until(clock.time + 1)
    context = await work

    assert context.facts == ["kept"]
    assert context.notes["dropped"] == ["broken"]
    told = {fact.step: fact.dropped for fact in recorder.of(ContextStepEnded)}
    assert told == {"broken": type(fault).__name__, "good": None}


async def test_a_step_is_dropped_when_its_time_is_over() -> None:
    clock = VirtualClock()
    never = Source("late", clock, 1e9)
    context = await ContextGatherer([never], clock=clock, seconds=0.01).gather(a_turn())

    assert context.notes["dropped"] == ["late"]
    assert "late_ms" in context.notes


async def test_a_turn_that_no_provider_applies_to_has_no_steps() -> None:
    clock = VirtualClock()

    assert await gathered(clock, Source("idle", clock, wanted=False)) == Context()
    assert await gathered(clock, Source("ready", clock), use_context=False) == Context()


class Profiles:
    """Profiles by tenant and customer."""

    def __init__(self, kept: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        self._kept = kept

    async def get(self, tenant: str, customer_id: str) -> Mapping[str, str]:
        return self._kept.get((tenant, customer_id), {})


async def test_the_profile_is_that_of_the_tenants_own_customer_and_stands_before_the_sources() -> None:
    clock = VirtualClock()
    provider = CustomerProfile(Profiles({("contoso", "c1"): {"size": "42"}, ("fabrikam", "c2"): {"size": "1"}}))
    own = await gathered(clock, provider, customer_id="c1")
    foreign = await gathered(clock, provider, customer_id="c2")
    unnamed = await gathered(clock, provider)

    prompt = assemble(a_turn(), instructions="Be kind.", passages=(), history=(), facts=own.facts)[0].content
    assert prompt == "Be kind.\n\nWhat is known of the customer:\nsize: 42\n\nSources:\n\n(none found)"
    assert foreign.facts == []
    assert unnamed == Context()


async def test_a_profile_never_fills_the_prompt() -> None:
    clock = VirtualClock()
    provider = CustomerProfile(Profiles({("contoso", "c1"): {"story": "x" * 100_000}}))

    (fact,) = (await gathered(clock, provider, customer_id="c1")).facts
    assert len(fact) < MOST_CHARACTERS + 100


def test_the_registry_has_every_provider_once_and_knowledge_only_where_it_can_be_searched() -> None:
    def names(embedder: Any, **settings: str) -> list[str]:
        read = Settings.from_environment({**ENVIRONMENT, **settings})
        parts: dict[str, Any] = dict.fromkeys(("sessions", "profiles", "knowledge", "counter", "clock"))
        return [provider.name for provider in context_providers(read, embedder=embedder, **parts)]

    assert names(object()) == ["history", "profile", "knowledge"]
    assert names(None) == ["history", "profile"]
    assert names(object(), SPILLWAY_KNOWLEDGE_ENABLED="false") == ["history", "profile"]


class Conversations:
    """A conversation of five turns, of which one failed and the last is the turn itself."""

    async def recent(self, _tenant: str, _session: str, _limit: int) -> list[dict[str, Any]]:
        turns = [("a", "succeeded"), ("b", "failed"), ("c", "succeeded"), ("d", "succeeded"), ("0" * 32, "succeeded")]
        return [{"turn_id": turn, "state": state, "question": f"ask {turn}", "answer": "yes"} for turn, state in turns]


class Words:
    """Counts words."""

    def count(self, text: str) -> int:
        return len(text.split())


def history(*, turns: int = 5, tokens: int = 1000) -> History:
    return History(Conversations(), Words(), turns=turns, tokens=tokens)  # type: ignore[arg-type]  # reads only


async def test_history_is_what_was_answered_before() -> None:
    context = await gathered(VirtualClock(), history())

    assert [message.content for message in context.history] == ["ask a", "yes", "ask c", "yes", "ask d", "yes"]
    assert "history_trimmed_turns" not in context.notes
    assert not history().applies(a_turn(new_session=True))
    assert not history().applies(a_turn(messages=(Message("user", "1"), Message("user", "2"))))
    assert not history(turns=0).applies(a_turn())


@pytest.mark.parametrize(("tokens", "kept"), [(9, ["a", "c", "d"]), (8, ["c", "d"]), (3, ["d"]), (2, []), (0, [])])
async def test_history_keeps_to_its_tokens_by_leaving_out_the_oldest_turns_whole(tokens: int, kept: list[str]) -> None:
    context = await gathered(VirtualClock(), history(tokens=tokens))

    assert [message.content for message in context.history if message.role == "user"] == [f"ask {one}" for one in kept]
    assert context.notes.get("history_trimmed_turns", 0) == 3 - len(kept)


async def test_the_provider_in_the_docs_is_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "context.md").read_text(encoding="utf-8")
    space: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], space)

    class Orders:
        async def open(self, tenant: str, customer_id: str) -> list[str]:
            return [f"{tenant}'s {customer_id} waits for shoes"]

    context = await gathered(VirtualClock(), space["OpenOrders"](Orders()), customer_id="c1")

    assert context.facts == ["Open order: contoso's c1 waits for shoes"]
    assert "dropped" not in context.notes
