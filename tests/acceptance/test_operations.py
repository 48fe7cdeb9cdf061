"""What operators switch holds for every instance, by the routes and by the command line."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.stack import OPERATOR, USER, Stack, ask

PATIENCE_SECONDS = 40.0


def operate(stack: Stack, *arguments: str, key: str = OPERATOR) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.operate", "--url", stack.url, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SPILLWAY_OPERATOR_KEY": key},
    )


def eventually(look: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if look():
            return True
        time.sleep(0.05)
    return False


def queued(stack: Stack, lane: str) -> str:
    with stack.client() as client:
        body = {"message": f"Is anybody there? {time.monotonic()}", "lane": lane}
        return str(client.post("/api/chat", json=body, headers={"Prefer": "respond-async"}).json()["turn_id"])


def state(stack: Stack, turn_id: str) -> dict[str, Any]:
    with stack.client() as client:
        return dict(client.get(f"/api/chat/{turn_id}").json())


def test_turns_of_a_paused_lane_wait_and_go_on_when_it_is_resumed(stack: Stack) -> None:
    paused = json.loads(operate(stack, "pause", "standard").stdout)
    try:
        held, other = queued(stack, "standard"), queued(stack, "batch")
        assert eventually(lambda: state(stack, other)["state"] == "succeeded")
        assert state(stack, held)["state"] in {"accepted", "queued"}
        lanes = {entry["lane"]: entry for entry in json.loads(operate(stack, "show").stdout)["lanes"]}
    finally:
        resumed = json.loads(operate(stack, "resume", "standard").stdout)

    assert paused["paused"]
    assert lanes["standard"]["paused"]
    assert lanes["standard"]["waiting"] >= 1
    assert not lanes["batch"]["paused"]
    assert not resumed["paused"]
    assert eventually(lambda: state(stack, held)["state"] == "succeeded")


def test_a_drained_deployment_gets_no_calls_until_it_is_taken_back(stack: Stack) -> None:
    drained = json.loads(operate(stack, "drain", "chat-0").stdout)
    try:
        with stack.client() as client:
            answers = [ask(client, f"Drained, number {number}?").last["deployment"] for number in range(4)]
    finally:
        back = json.loads(operate(stack, "undrain", "chat-0").stdout)

    assert drained["draining"]
    assert not back["draining"]
    assert set(answers) == {"chat-1"}


@pytest.mark.parametrize(
    ("arguments", "key", "says"),
    [
        (("show",), USER, "403"),
        (("show",), "wrong", "401"),
        (("drain", "chat-99"), OPERATOR, "There is no deployment chat-99"),
    ],
)
def test_who_may_not_or_names_what_is_not_there_is_told_so(
    stack: Stack, arguments: tuple[str, ...], key: str, says: str
) -> None:
    done = operate(stack, *arguments, key=key)

    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
