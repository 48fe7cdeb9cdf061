"""kill -9 of a worker in mid-answer, of the broker, of the store: every accepted turn ends, with one clean answer."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance.stack import USER, Answer, Stack, ask, deployments, events

SLOW = deployments(count=1, between_tokens_ms=60, answer_tokens=60)
WORKERS = (
    "function:answer_standard=1",
    "function:answer_interactive=1",
    "function:answer_batch=0",
    "function:score_answer=0",
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(
        tmp_path,
        models=SLOW,
        lock="PT5S",
        settings={
            "SPILLWAY_LEASE_SECONDS": "3",
            "SPILLWAY_CHECKPOINT_SECONDS": "0.5",
            "SPILLWAY_DURABLE_POLL_SECONDS": "0.5",
            "SPILLWAY_KEEP_ALIVE_SECONDS": "1",
        },
        host_options=("--instances", "http=2", *(part for worker in WORKERS for part in ("--instances", worker))),
    )
    try:
        yield stack.start()
    finally:
        stack.stop()


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)


def instance(stack: Stack, function: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        entry for entry in stack.parts["app"].ready["instances"] if function in entry["functions"]
    )
    return found


def asked(stack: Stack, lane: str) -> tuple[threading.Thread, Answer]:
    """Asks in the background; the answer grows while the test goes on."""
    answer = Answer()

    def work() -> None:
        with stack.client() as client:
            ask(client, "Hello", into=answer, lane=lane)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, answer


def has_text(*answers: Answer) -> Callable[[], bool]:
    return lambda: all("delta" in answer.names for answer in answers)


def test_a_worker_killed_in_mid_answer_is_followed_by_another_and_the_caller_sees_one_clean_answer(
    stack: Stack,
) -> None:
    thread, answer = asked(stack, "standard")
    wait_for(has_text(answer))
    os.kill(instance(stack, "answer_standard")["pid"], signal.SIGKILL)
    thread.join(60)

    turn = stack.turns()[0]

    assert answer.names[-1] == "done"
    assert answer.names.count("restart") == 1
    assert answer.text == turn["answer"] != ""
    assert turn["state"] == "succeeded"
    assert turn["run"] == 2


def test_an_instance_killed_while_it_answers_directly_loses_nothing(stack: Stack) -> None:
    first = instance(stack, "accept_turn")
    answer = Answer()

    def read_until_killed() -> None:
        with httpx2.Client(base_url=first["url"], headers={"x-functions-key": USER}, timeout=30) as client:
            accept = {"accept": "text/event-stream"}
            with client.stream("POST", "/api/chat", json={"message": "Hello"}, headers=accept) as response:
                for event in events(response.iter_lines()):
                    answer.take(*event)
                    if answer.names.count("delta") == 5:
                        os.kill(first["pid"], signal.SIGKILL)

    with pytest.raises(httpx2.HTTPError):
        read_until_killed()
    turn_id = answer.events[0][2]["turn_id"]
    with stack.client() as client:
        headers = {"Last-Event-ID": str(answer.events[-1][0])}
        with client.stream("GET", f"/api/chat/{turn_id}/stream", headers=headers) as response:
            for event in events(response.iter_lines()):
                answer.take(*event)
        turn = client.get(f"/api/chat/{turn_id}").json()

    assert answer.names[-1] == "done"
    assert answer.text == turn["answer"] != ""


def test_a_killed_broker_comes_back_with_every_accepted_turn(stack: Stack) -> None:
    with stack.client() as client:
        accepted = [
            client.post(
                "/api/chat", json={"message": f"Hello {n}", "lane": "standard"}, headers={"Prefer": "respond-async"}
            )
            for n in range(10)
        ]
        stack.parts["broker"].kill()
        refused = client.post(
            "/api/chat", json={"message": "Hello", "lane": "standard"}, headers={"Prefer": "respond-async"}
        )
        stack.start_broker()
        wait_for(lambda: sum(turn["state"] == "succeeded" for turn in stack.turns()) == 10, 60)
        after = ask(client, "Hello again", lane="standard")

    assert {response.status_code for response in accepted} == {202}
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "unavailable"
    assert "retry-after" in refused.headers
    assert after.names[-1] == "done"
    assert len(stack.turns()) == 11


def test_a_killed_store_delays_answers_but_loses_none(stack: Stack) -> None:
    thread, queued_answer = asked(stack, "standard")
    direct, direct_answer = asked(stack, "interactive")
    wait_for(has_text(queued_answer, direct_answer))
    stack.parts["store"].kill()
    with stack.client() as client:
        refused = client.post("/api/chat", json={"message": "Hello"})
    time.sleep(2)
    stack.start_store()
    thread.join(60)
    direct.join(60)
    turns = stack.turns()

    assert refused.status_code == 503
    assert queued_answer.names[-1] == "done"
    assert direct_answer.names[-1] == "done"
    assert {turn["state"] for turn in turns} == {"succeeded"}
    assert sorted(turn["answer"] for turn in turns) == sorted([queued_answer.text, direct_answer.text])


def test_a_cancelled_answer_stops_its_generation_on_whichever_instance_it_runs(stack: Stack) -> None:
    thread, answer = asked(stack, "standard")
    wait_for(has_text(answer))
    with stack.client() as client:
        cancelled = client.delete(f"/api/chat/{answer.events[0][2]['turn_id']}").json()
    thread.join(30)
    wait_for(lambda: len(stack.calls()) == 1)

    assert cancelled["state"] == "cancelled"
    assert answer.names[-1] == "error"
    assert answer.last["error"]["code"] == "cancelled"
    assert stack.calls()[0]["outcome"] == "client_closed"
