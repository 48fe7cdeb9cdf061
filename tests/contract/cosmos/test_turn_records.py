"""The app's reads over all turns answer what the turns say, whichever partitions they are in."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from local.provision import provision
from shared.adapters.cosmos_connection import CosmosConnection
from shared.adapters.cosmos_turn_records import CosmosTurnRecords
from shared.adapters.cosmos_turns import CosmosTurns
from shared.pulse.ports import EndedTurn, Waiting
from shared.turns import Lane, State, Turn, Usage
from tests.acceptance.stack import STORE_KEY
from tests.processes import Service, running
from tests.unit.samples import a_turn

BEGIN = 1_700_000_040.0
"""The beginning of a minute."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("records")
    with running("local.cosmos", "--port", "0", folder=folder) as service:
        provision(service.url, STORE_KEY, "spillway")
        yield service


@pytest.fixture
async def connection(store: Service) -> AsyncIterator[CosmosConnection]:
    connection = CosmosConnection(store.url, STORE_KEY, "spillway")
    yield connection
    await connection.close()


def waiting(number: int, state: State, *, at: float, deadline: float, **more: float) -> Turn:
    lane = Lane.BATCH
    return a_turn(
        turn_id=f"{number:032x}", lane=lane, state=state, created_at=BEGIN + at, deadline_at=BEGIN + deadline, **more
    )


async def test_what_waits_is_counted_with_the_oldest_and_the_most_pressed(connection: CosmosConnection) -> None:
    turns, records, now = CosmosTurns(connection, ttl_seconds=3600), CosmosTurnRecords(connection), BEGIN + 100
    nothing = await records.waiting(Lane.BATCH, now)
    for turn in (
        waiting(1, State.QUEUED, at=20, deadline=3000),
        waiting(2, State.DEFERRED, at=10, deadline=2000, deferred_until=now + 50),
        waiting(3, State.DEFERRED, at=30, deadline=400, deferred_until=now - 1),
        waiting(4, State.RUNNING, at=1, deadline=200),
        waiting(5, State.SUCCEEDED, at=2, deadline=201),
    ):
        await turns.create(turn)

    assert nothing == Waiting(0, 0)
    assert await records.waiting(Lane.BATCH, now) == Waiting(3, 2, BEGIN + 10, (BEGIN + 30, BEGIN + 400))
    assert await records.waiting(Lane.STANDARD, now) == nothing


async def test_turns_that_are_over_are_found_by_the_minute_in_which_they_were_accepted(
    connection: CosmosConnection,
) -> None:
    turns, records = CosmosTurns(connection, ttl_seconds=3600), CosmosTurnRecords(connection)
    begin = BEGIN + 6000
    for number, at in enumerate((-0.5, 0.0, 59.5, 60.0), start=10):
        await turns.create(a_turn(turn_id=f"{number:032x}", created_at=begin + at, deadline_at=begin + 999))
    fields = {"usage": Usage(7, 5).as_dict(), "deployment": "chat-0"}
    for number in (11, 13):
        turn_id = f"{number:032x}"
        await turns.take(turn_id, owner="i", now=begin, lease_until=begin + 9)
        await turns.finish(turn_id, run=1, state=State.SUCCEEDED, fields=fields)
    await turns.cancel(f"{12:032x}", {})

    minute = int(begin // 60)
    found = await records.ended_within(minute)
    changed = await records.minutes_ended_since(0)

    assert sorted(found, key=lambda turn: turn.state) == [
        EndedTurn("contoso", "interactive", "queued", None, None, "cancelled", None),
        EndedTurn("contoso", "interactive", "queued", None, "chat-0", "succeeded", Usage(7, 5)),
    ]
    assert {minute, minute + 1} <= changed
    assert minute - 1 not in changed
    assert await records.minutes_ended_since(4e9) == set()
