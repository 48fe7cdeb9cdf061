"""Microsoft's worker for Python 3.13 runs the package that is deployed and streams its answers."""

import json
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.api.openapi_routes import ROUTES
from tests.acceptance.stack import OTHER, USER, Answer, Stack, events

SCRIPT = Path(__file__).with_name("worker_process.py")


class Worker:
    """The worker's process; invocations go in by its input, requests by HTTP."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self.found = self.line()

    def line(self) -> dict[str, Any]:
        """The next line that the process says; other lines are an app's own prints."""
        for line in self._out:
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise AssertionError("the worker ended; its error output says why")

    def open(self, function: str, method: str, path: str, route: dict[str, str] | None = None, **options: Any) -> Any:
        """An HTTP stream to a function, with the invocation that the host would send beside it."""
        invocation = str(uuid.uuid4())
        order = {"function": function, "invocation": invocation, "route": route or {}}
        self._in.write(json.dumps(order) + "\n")
        self._in.flush()
        headers = {"x-functions-key": USER, "x-ms-invocation-id": invocation, **options.pop("headers", {})}
        return httpx2.stream(method, self.found["url"] + path, headers=headers, timeout=60, **options)


@pytest.fixture(scope="module")
def worker(python: Path, unpacked: Path, azure: Stack) -> Iterator[Worker]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(unpacked), **azure.environment()}
    process = subprocess.Popen(
        [python, SCRIPT], cwd=unpacked, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    # A worker that says nothing would be waited for without end.
    guard = threading.Timer(90, process.kill)
    guard.start()
    with process:
        try:
            yield Worker(process)
        finally:
            guard.cancel()
            process.kill()


def test_the_worker_for_3_13_finds_every_function_of_the_package(worker: Worker, unpacked: Path) -> None:
    found = worker.found
    assert found["python"] == [3, 13]
    assert found["library"].startswith("2.")
    assert found["app"] == str(unpacked)
    assert {route.function for route in ROUTES} < set(found["functions"])
    assert {"answer_interactive", "answer_standard", "answer_batch", "web_page"} < set(found["functions"])


def test_the_worker_streams_an_answer_piece_by_piece(worker: Worker) -> None:
    answer, pieces = Answer(), 0
    body = {"message": "Hello"}
    with worker.open("accept_turn", "POST", "/api/chat", json=body, headers={"accept": "text/event-stream"}) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        chunks = []
        for chunk in reply.iter_raw():
            pieces += 1
            chunks.append(chunk)
    for event in events(b"".join(chunks).decode().splitlines()):
        answer.take(*event)
    assert answer.names[0] == "accepted"
    assert answer.names[-1] == "done"
    assert answer.text
    assert pieces > 3
    assert worker.line()["status"] == "Success"

    turn = answer.events[0][2]["turn_id"]
    with worker.open("read_turn", "GET", f"/api/chat/{turn}", {"turn": turn}) as reply:
        assert json.loads(reply.read())["answer"] == answer.text
    assert worker.line()["status"] == "Success"


def test_the_worker_gives_refusals_in_the_one_shape(worker: Worker) -> None:
    turn = "0" * 32
    with worker.open("read_turn", "GET", f"/api/chat/{turn}", {"turn": turn}, headers={"x-functions-key": OTHER}) as no:
        assert no.status_code == 404
        assert json.loads(no.read())["error"]["code"] == "turn_not_found"
    assert worker.line()["status"] == "Success"
    with worker.open("read_turn", "GET", f"/api/chat/{turn}", {"turn": turn}, headers={"x-functions-key": "no"}) as no:
        assert no.status_code == 401
    assert worker.line()["status"] == "Success"
