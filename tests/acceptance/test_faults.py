"""Deployments that refuse, fail, stall or break off: the turn goes round them, waits, or says what happened."""

from collections.abc import Iterator

import pytest

from tests.acceptance.stack import Stack, ask


@pytest.fixture(autouse=True)
def calm(stack: Stack) -> Iterator[None]:
    yield
    stack.calm()


def calls_of(stack: Stack, turn_id: str) -> list[dict[str, object]]:
    return [call for call in stack.calls() if call["client_request_id"] == turn_id]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "quota", "headers": "both"},
        {"kind": "quota", "headers": "none"},
        {"kind": "capacity", "headers": "ms"},
        {"kind": "temporary_cut", "headers": "reset", "count": 100},
        {"kind": "server_error", "status": 503},
        {"kind": "cut", "after_tokens": 0},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('headers', fault.get('status', ''))}",
)
@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_before_the_first_token_another_deployment_answers_at_once(
    stack: Stack, fault: dict[str, object], lane: str
) -> None:
    stack.fault(deployment="chat-0", retry_after_ms=100, **fault)
    with stack.client() as client:
        answer = ask(client, lane=lane)

    turn_id = answer.last["turn_id"]

    assert answer.names[-1] == "done"
    assert answer.last["deployment"] == "chat-1"
    assert "restart" not in answer.names
    assert len(calls_of(stack, turn_id)) <= 2


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_when_all_deployments_are_busy_the_turn_sleeps_and_is_answered_later(stack: Stack, lane: str) -> None:
    for deployment in ("chat-0", "chat-1"):
        stack.fault(kind="quota", deployment=deployment, count=1, retry_after_ms=700, headers="ms")
    with stack.client() as client:
        answer = ask(client, lane=lane)
        turn = client.get(f"/api/chat/{answer.last['turn_id']}").json()

    assert answer.names[-1] == "done"
    assert answer.text == turn["answer"]
    assert len(calls_of(stack, answer.last["turn_id"])) <= 3


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_a_stream_that_breaks_after_its_first_tokens_is_begun_anew_and_the_caller_is_told(
    stack: Stack, lane: str
) -> None:
    for deployment in ("chat-0", "chat-1"):
        stack.fault(kind="cut", deployment=deployment, count=1, after_tokens=4)
    with stack.client() as client:
        answer = ask(client, "Hello and thank you", lane=lane)
        turn = client.get(f"/api/chat/{answer.last['turn_id']}").json()

    assert answer.names[-1] == "done"
    assert "restart" in answer.names
    assert answer.text == turn["answer"]


def test_a_turn_that_fails_again_and_again_is_failed_and_its_message_can_be_replayed(stack: Stack) -> None:
    for deployment in ("chat-0", "chat-1"):
        stack.fault(kind="server_error", deployment=deployment, status=500)
    with stack.client() as client, stack.client("operator-key-of-contoso") as operator:
        answer = ask(client, "Poison", lane="batch", deadline_seconds=300)
        letters = operator.get("/api/dead-letters", params={"lane": "batch"}).json()["dead_letters"]
        turn_id = answer.last["error"]["turn_id"]
        stack.calm()
        body = {"lane": "batch", "reason": "MaxDeliveryCountExceeded"}
        replayed = operator.post("/api/dead-letters/replay", json=body).json()["replayed"]
        again = operator.post("/api/dead-letters/replay", json=body).json()["replayed"]
        replay = next(entry for entry in replayed if entry["turn_id"] == turn_id)
        followed = client.get(f"/api/chat/{replay['replayed_as']}/stream").text
        old = client.get(f"/api/chat/{turn_id}").json()

    assert answer.last["error"]["code"] == "model_failed"
    assert turn_id in {letter["turn_id"] for letter in letters}
    assert "event: done" in followed
    assert old["state"] == "failed"
    assert again == []
