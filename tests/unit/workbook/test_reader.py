"""The adapter that asks the query API, against a server on the wire."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pytest_asyncio

from shared.adapters.telemetry_reader import MOST_BYTES, TelemetryReader
from shared.errors import QueryFailed, Unavailable

TABLE = {"name": "PrimaryResult", "columns": [{"name": "n", "type": "long", "more": 1}], "rows": [[1], [2]]}


class Server(ThreadingHTTPServer):
    """Gives one answer and notes what it was asked."""

    daemon_threads = True
    answer: tuple[int, bytes] = (200, b"")
    seen: list[tuple[dict[str, str], Any]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest_asyncio.fixture
async def reader(server: Server) -> AsyncIterator[TelemetryReader]:
    async def token() -> str:
        return "a-token"

    reader = TelemetryReader(f"http://127.0.0.1:{server.server_port}/v1/apps/x/query", token)
    yield reader
    await reader.close()


async def test_a_result_comes_with_its_columns_and_the_request_with_the_identity(server: Server, reader: Any) -> None:
    server.answer = 200, json.dumps({"tables": [TABLE]}).encode()

    assert await reader.ask("T") == {"columns": [{"name": "n", "type": "long"}], "rows": [[1], [2]], "partial": None}
    ((headers, body),) = server.seen
    assert headers["authorization"] == "Bearer a-token"
    assert body == {"query": "T"}


async def test_a_result_with_rows_missing_says_so(server: Server, reader: Any) -> None:
    error = {"code": "PartialError", "message": "part", "innererror": {"message": "more than 500000 rows"}}
    server.answer = 200, json.dumps({"tables": [TABLE], "error": error}).encode()

    assert (await reader.ask("T"))["partial"] == "more than 500000 rows"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (400, b'{"error": {"message": "bad", "innererror": {"message": "no such column"}}}', "no such column"),
        (403, b'{"error": {"message": "no access"}}', "no access"),
        (404, b"{}", "no reason given"),
        (200, b"<html>", "not JSON"),
        (200, b" " * (MOST_BYTES + 1), "shorter time range"),
    ],
)
async def test_a_refusal_is_passed_on_in_words(
    server: Server, reader: Any, status: int, body: bytes, says: str
) -> None:
    server.answer = status, body

    with pytest.raises(QueryFailed, match=says):
        await reader.ask("T")


@pytest.mark.parametrize("status", [429, 500, 503, 504])
async def test_a_passing_fault_can_be_tried_again(server: Server, reader: Any, status: int) -> None:
    server.answer = status, b"{}"

    with pytest.raises(Unavailable, match=str(status)) as caught:
        await reader.ask("T")
    assert caught.value.retry_after_seconds


async def test_nobody_there_is_said(server: Server, reader: Any) -> None:
    gone = TelemetryReader("http://127.0.0.1:1/v1/apps/x/query", None)

    with pytest.raises(Unavailable, match="does not answer"):
        await gone.ask("T")
    await gone.close()
