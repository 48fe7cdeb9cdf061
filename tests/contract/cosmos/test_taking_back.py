"""A turn whose acceptance failed is taken back; one that was accepted under its key since then is not."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.provision import provision
from shared.adapters.cosmos_connection import CosmosConnection
from shared.adapters.cosmos_turns import CosmosTurns
from shared.turns import State, Turn
from tests.acceptance.stack import STORE_KEY
from tests.processes import Service, running
from tests.unit.samples import a_turn


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("taking_back")
    with running("local.cosmos", "--port", "0", folder=folder) as service:
        provision(service.url, STORE_KEY, "spillway")
        yield service


@pytest.fixture
async def turns(store: Service) -> AsyncIterator[CosmosTurns]:
    connection = CosmosConnection(store.url, STORE_KEY, "spillway")
    yield CosmosTurns(connection, ttl_seconds=3600)
    await connection.close()


def refused() -> Turn:
    return a_turn(turn_id=uuid4().hex, state=State.ACCEPTED, created_at=1000.0)


async def test_a_turn_whose_acceptance_failed_is_gone_and_taking_it_back_twice_is_no_error(turns: CosmosTurns) -> None:
    turn = refused()
    await turns.create(turn)
    await turns.retract(turn)
    await turns.retract(turn)

    assert await turns.get(turn.turn_id) is None


async def test_a_turn_that_was_accepted_again_under_its_key_stays(turns: CosmosTurns) -> None:
    first = refused()
    again = dataclasses.replace(first, created_at=1003.0)
    await turns.create(again)
    await turns.retract(first)

    kept = await turns.get(first.turn_id)
    assert kept is not None
    assert kept.created_at == again.created_at


async def test_a_turn_whose_message_arrived_after_all_stays_whether_it_runs_or_is_over(turns: CosmosTurns) -> None:
    turn = refused()
    await turns.create(turn)
    await turns.take(turn.turn_id, owner="a worker", now=1001.0, lease_until=1100.0)
    await turns.retract(turn)
    running = await turns.get(turn.turn_id)
    await turns.finish(turn.turn_id, run=1, state=State.SUCCEEDED, fields={"answer": "Yes."})
    await turns.retract(turn)
    over = await turns.get(turn.turn_id)

    assert running is not None
    assert running.state is State.RUNNING
    assert over is not None
    assert over.answer == "Yes."


async def test_a_direct_turn_stays_when_another_run_has_taken_it_over(turns: CosmosTurns) -> None:
    turn = dataclasses.replace(refused(), state=State.RUNNING, run=1, lease_until=1000.5)
    await turns.create(turn)
    taken = await turns.take(turn.turn_id, owner="a worker", now=1001.0, lease_until=1100.0)
    await turns.retract(turn)

    assert taken is not None
    kept = await turns.get(turn.turn_id)
    assert kept is not None
    assert kept.run == 2


async def test_a_turn_that_somebody_took_meanwhile_stays(turns: CosmosTurns, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = refused()
    await turns.create(turn)
    delete, sent, arrives = turns._turns.delete_item, asyncio.Event(), asyncio.Event()

    async def late(*arguments: Any, **options: Any) -> None:
        sent.set()
        await arrives.wait()
        await delete(*arguments, **options)

    monkeypatch.setattr(type(turns._turns), "delete_item", lambda _, *arguments, **options: late(*arguments, **options))
    taking_back = asyncio.create_task(turns.retract(turn))
    await sent.wait()
    taken = await turns.take(turn.turn_id, owner="another", now=1001.0, lease_until=1100.0)
    arrives.set()
    await taking_back

    assert taken is not None
    kept = await turns.get(turn.turn_id)
    assert kept is not None
    assert kept.state is State.RUNNING
