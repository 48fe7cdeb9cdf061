"""Nobody reaches what is another tenant's, whichever route is tried, and nobody learns that it is there."""

import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.acceptance.routes import BODIES, Call, calls
from tests.acceptance.stack import OPERATOR, OTHER, OTHER_OPERATOR, Stack, ask

WITH_IDS = [call for call in calls() if call.names_a_tenants_own]
# Tenants name their own sessions, so another tenant's is one that was never used: it answers as an empty one does.
OWN_NAMES = {"read_session", "forget_session"}
PAIRS = 120


@dataclass(frozen=True, slots=True)
class Theirs:
    """What contoso has."""

    ids: dict[str, str]
    turn: dict[str, Any]


@pytest.fixture(scope="module")
def contoso(stack: Stack) -> Iterator[Theirs]:
    with stack.client() as user, stack.client(OPERATOR) as operator:
        turn_id = ask(user, "Hello", session_id="private").events[0][2]["turn_id"]
        run = operator.post("/api/evaluations", json=BODIES["EvaluationRequest"]).json()["evaluation_id"]
        found = Theirs({"turn": turn_id, "session": "private", "run": run}, user.get(f"/api/chat/{turn_id}").json())
        yield found
        assert user.get(f"/api/chat/{turn_id}").json() == found.turn
        assert len(user.get("/api/sessions/private").json()["turns"]) == 1
        assert operator.get(f"/api/evaluations/{run}").json()["state"] != "cancelled"


def strangers(stack: Stack, call: Call) -> httpx2.Client:
    return stack.client(OTHER_OPERATOR if call.for_operators else OTHER)


def nobodys() -> dict[str, str]:
    return {name: uuid.uuid4().hex for name in ("turn", "session", "run")}


def without(response: httpx2.Response, ids: dict[str, str]) -> str:
    text = response.text
    for value in ids.values():
        text = text.replace(value, "ID")
    return text


@pytest.mark.parametrize("call", WITH_IDS, ids=lambda call: call.name)
def test_every_route_with_someone_elses_ids_answers_as_for_ids_that_are_not_there(
    stack: Stack, contoso: Theirs, call: Call
) -> None:
    nothing = nobodys()
    with strangers(stack, call) as client:
        foreign, unknown = call.send(client, contoso.ids), call.send(client, nothing)
    assert foreign.status_code == unknown.status_code
    assert without(foreign, contoso.ids) == without(unknown, nothing)
    if call.name not in OWN_NAMES:
        assert foreign.status_code == 404
        assert foreign.json()["error"]["code"].endswith("_not_found")
    differing = {"x-spillway-turn-id", "date", "content-length", "server-timing"}
    assert foreign.headers.keys() - differing == unknown.headers.keys() - differing


def test_lists_show_nothing_of_another_tenant(stack: Stack, contoso: Theirs) -> None:
    with stack.client(OTHER_OPERATOR) as client:
        assert contoso.ids["run"] not in client.get("/api/evaluations").text


def test_a_session_of_the_same_name_is_another_one(stack: Stack, contoso: Theirs) -> None:
    with stack.client(OTHER) as client:
        own = ask(client, "Hello from elsewhere", session_id="private").events[0][2]["turn_id"]
        turns = client.get("/api/sessions/private").json()["turns"]
    assert [turn["turn_id"] for turn in turns] == [own]


def test_one_idempotency_key_of_two_tenants_is_two_turns(stack: Stack) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    with stack.client() as ours, stack.client(OTHER) as others:
        turns = [ask(client, "Hello", headers=key).events[0][2]["turn_id"] for client in (ours, others)]
    assert turns[0] != turns[1]


def seconds_of(client: httpx2.Client, path: str) -> float:
    began = time.perf_counter()
    assert client.get(path).status_code == 404
    return time.perf_counter() - began


def test_how_long_a_refusal_takes_does_not_tell_whether_the_turn_is_there(
    stack: Stack, contoso: Theirs, record_property: Any
) -> None:
    foreign, unknown = [], []
    with stack.client(OTHER) as client:
        for number in range(PAIRS):
            pair = [(foreign, contoso.ids["turn"]), (unknown, uuid.uuid4().hex)]
            # Taking turns at being first: neither gains from a warm connection.
            for times, turn_id in pair if number % 2 else reversed(pair):
                times.append(seconds_of(client, f"/api/chat/{turn_id}"))
    ratio = statistics.median(foreign) / statistics.median(unknown)
    record_property("ratio", ratio)
    print(
        f"someone else's {statistics.median(foreign) * 1000:.2f} ms, not there "
        f"{statistics.median(unknown) * 1000:.2f} ms, ratio {ratio:.2f}"
    )
    assert 0.5 < ratio < 2.0
