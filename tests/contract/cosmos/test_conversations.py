"""What runs and callers write of one turn into its conversation ends as the turn did, whichever write arrives last."""

import dataclasses
from collections.abc import AsyncIterator, Iterator
from itertools import permutations
from pathlib import Path
from uuid import uuid4

import pytest

from local.provision import provision
from shared.adapters.cosmos_connection import CosmosConnection
from shared.adapters.cosmos_sessions import CosmosSessions
from shared.turns import State, Turn
from tests.acceptance.stack import STORE_KEY
from tests.processes import Service, running
from tests.unit.samples import a_turn


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("conversations")
    with running("local.cosmos", "--port", "0", folder=folder) as service:
        provision(service.url, STORE_KEY, "spillway")
        yield service


@pytest.fixture
async def sessions(store: Service) -> AsyncIterator[CosmosSessions]:
    connection = CosmosConnection(store.url, STORE_KEY, "spillway")
    yield CosmosSessions(connection, ttl_seconds=3600)
    await connection.close()


def answered(run: int) -> Turn:
    return a_turn(
        turn_id=uuid4().hex, session_id=uuid4().hex, run=run, state=State.SUCCEEDED, answer=f"The answer of run {run}."
    )


async def test_the_last_word_stays_whichever_write_arrives_last(sessions: CosmosSessions) -> None:
    first = answered(1)
    second = dataclasses.replace(first, run=2, answer="The answer of run 2.")
    over = dataclasses.replace(second, state=State.CANCELLED, answer="")
    for order in permutations([(first, False), (second, False), (over, True)]):
        session_id = uuid4().hex
        for turn, final in order:
            await sessions.append(dataclasses.replace(turn, session_id=session_id), final=final)
        [kept] = await sessions.recent(first.tenant, session_id, 10)
        assert (kept["state"], kept["answer"]) == ("cancelled", "")


async def test_a_write_that_is_repeated_because_its_answer_was_lost_changes_nothing(sessions: CosmosSessions) -> None:
    turn = answered(1)
    await sessions.append(turn)
    await sessions.rate(turn, "up")
    await sessions.append(turn)

    [kept] = await sessions.recent(turn.tenant, turn.session_id, 10)
    assert (kept["answer"], kept["rating"]) == ("The answer of run 1.", "up")
