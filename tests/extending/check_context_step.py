"""With docs/extending/context-step.patch: the model is told what day it is."""

from typing import Any

from shared.context.gathering import ContextGatherer
from shared.context.providers.registry import context_providers
from shared.settings import Settings
from tests.unit.fleet import VirtualClock
from tests.unit.samples import ENVIRONMENT, a_turn


async def test_every_turn_is_told_the_date() -> None:
    clock: Any = VirtualClock()
    nothing: Any = None
    providers = context_providers(
        Settings.from_environment(ENVIRONMENT),
        sessions=nothing,
        profiles=nothing,
        knowledge=nothing,
        embedder=None,
        counter=nothing,
        clock=clock,
    )
    today = [provider for provider in providers if provider.name == "today"]
    context = await ContextGatherer(today, clock=clock, seconds=1).gather(a_turn())

    assert len(context.facts) == 1
    assert context.facts[0].startswith("Today is ")
    assert "today_ms" in context.notes
