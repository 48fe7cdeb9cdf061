"""A server that speaks Spillway's HTTP contract and plays what a test wrote down. It also serves web/."""

import contextlib
import json
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.browser import script
from tests.browser.script import Cut, Gate, Raw, Refusal, Turn

WEB = Path(__file__).resolve().parents[2] / "web"
KEY = "test-key"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class ConnectionCut(Exception):
    """Makes the HTTP server drop the connection in the middle of a body."""


@dataclass
class Seen:
    """One request, as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Double:
    """The state of the server during one test."""

    scripts: deque[list[script.Step]] = field(default_factory=deque)
    refusals: deque[Refusal] = field(default_factory=deque)
    keys: set[str] = field(default_factory=lambda: {KEY})
    turns: dict[str, Turn] = field(default_factory=dict)
    by_idempotency_key: dict[str, Turn] = field(default_factory=dict)
    requests: list[Seen] = field(default_factory=list)

    def plays(self, *steps: script.Step | Sequence[script.Step]) -> None:
        """Adds the script of the next new turn."""
        self.scripts.append([one for step in steps for one in (step if isinstance(step, Sequence) else [step])])

    def remembers(self, question: str, text: str, state: str = "succeeded", session_id: str = "s-old") -> Turn:
        """Adds a turn that was over before the test began."""
        turn = Turn(f"t-old-{len(self.turns)}", session_id, question, [], state=state)
        turn.log = [script.Send("delta", {"text": text})] + ([script.done()] if state == "succeeded" else [])
        self.turns[turn.turn_id] = turn
        return turn

    def seen(self, method: str, path: str) -> list[Seen]:
        """The requests with this method whose path starts so."""
        return [request for request in self.requests if request.method == method and request.path.startswith(path)]

    def ask(self, body: dict[str, Any], idempotency_key: str) -> Turn:
        """The turn of a question; a repeated question is the same turn."""
        if idempotency_key not in self.by_idempotency_key:
            number = len(self.turns) + 1
            turn = Turn(f"t-{number}", body.get("session_id") or f"s-{number}", body["message"], self.scripts.popleft())
            self.turns[turn.turn_id] = self.by_idempotency_key[idempotency_key] = turn
        return self.by_idempotency_key[idempotency_key]


Handler = Callable[[Double, Request, Any], Response]


@dataclass
class Server:
    """The running server; each test gives it a fresh double."""

    url: str
    double: Double = field(default_factory=Double)


async def play(turn: Turn, after: int) -> AsyncIterator[str]:
    """The events after `after`: first those that were sent before, then what the script still holds."""
    yield ": hello\n\n"
    for number, step in enumerate(turn.log, 1):
        if number > after:
            yield frame(number, step)
    while turn.steps:
        match turn.steps[0]:
            case Gate() as gate:
                await gate.passed()
                turn.steps.pop(0)
            case Cut(abruptly):
                turn.steps.pop(0)
                if abruptly:
                    raise ConnectionCut
                return
            case Raw(text):
                turn.steps.pop(0)
                yield text
            case step:
                turn.steps.pop(0)
                ids = {"turn_id": turn.turn_id, "session_id": turn.session_id}
                sent = script.Send(step.event, {**ids, **step.data})
                turn.log.append(sent)
                turn.state = {"done": step.data.get("state", "running"), "error": "failed"}.get(step.event, turn.state)
                yield frame(len(turn.log), sent)
                if step.event == "continue":
                    return


def frame(number: int, step: script.Send) -> str:
    """One event on the wire."""
    return f"id: {number}\nevent: {step.event}\ndata: {json.dumps(step.data)}\n\n"


def problem(refusal: Refusal) -> Response:
    """An error answer."""
    headers = {} if refusal.retry_after_seconds is None else {"retry-after": str(refusal.retry_after_seconds)}
    if refusal.body is not None:
        return Response(refusal.body, refusal.status, headers)
    error = {"code": refusal.code, "message": "Told by the server."}
    return JSONResponse({"error": error}, refusal.status, headers)


def ask(double: Double, request: Request, body: Any) -> Response:
    """POST /api/chat."""
    if double.refusals:
        return problem(double.refusals.popleft())
    return stream(double.ask(body, request.headers["idempotency-key"]), 0)


def stream(turn: Turn, after: int) -> Response:
    """The events of a turn."""
    return StreamingResponse(play(turn, after), media_type="text/event-stream")


def with_turn(handler: Callable[[Turn, Request, Any], Response]) -> Handler:
    """A handler for one turn, which answers 404 when there is no such turn."""

    def found(double: Double, request: Request, body: Any) -> Response:
        turn = double.turns.get(request.path_params["turn_id"])
        return handler(turn, request, body) if turn else problem(Refusal(404, "turn_not_found"))

    return found


def read(turn: Turn, request: Request, body: Any) -> Response:
    """GET /api/chat/{turn_id}."""
    return JSONResponse(turn.record())


def resume(turn: Turn, request: Request, body: Any) -> Response:
    """GET /api/chat/{turn_id}/stream."""
    return stream(turn, int(request.headers.get("last-event-id", "0")))


def cancel(turn: Turn, request: Request, body: Any) -> Response:
    """DELETE /api/chat/{turn_id}."""
    if turn.state == "running":
        turn.state, turn.steps = "cancelled", []
    return JSONResponse(turn.record())


def rate(turn: Turn, request: Request, body: Any) -> Response:
    """POST /api/chat/{turn_id}/feedback."""
    turn.rating = body["rating"]
    return JSONResponse({})


def history(double: Double, request: Request, body: Any) -> Response:
    """GET /api/sessions/{session_id}."""
    session_id = request.path_params["session_id"]
    turns = [turn.summary() for turn in double.turns.values() if turn.session_id == session_id]
    return JSONResponse({"session_id": session_id, "turns": turns}) if turns else problem(Refusal(404, "not_found"))


def forget(double: Double, request: Request, body: Any) -> Response:
    """DELETE /api/sessions/{session_id}."""
    session_id = request.path_params["session_id"]
    double.turns = {turn_id: turn for turn_id, turn in double.turns.items() if turn.session_id != session_id}
    return Response(status_code=204)


CONTRACT: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/api/chat", ask),
    ("GET", "/api/chat/{turn_id}", with_turn(read)),
    ("DELETE", "/api/chat/{turn_id}", with_turn(cancel)),
    ("GET", "/api/chat/{turn_id}/stream", with_turn(resume)),
    ("POST", "/api/chat/{turn_id}/feedback", with_turn(rate)),
    ("GET", "/api/sessions/{session_id}", history),
    ("DELETE", "/api/sessions/{session_id}", forget),
)


def route(server: Server, method: str, path: str, handler: Handler) -> Route:
    """A route that notes what it was asked and wants a key."""

    async def checked(request: Request) -> Response:
        double = server.double
        body = json.loads(await request.body() or "null")
        double.requests.append(Seen(method, request.url.path, dict(request.headers), body))
        if request.headers.get("x-functions-key") not in double.keys:
            return problem(Refusal(401, "unauthorized"))
        return handler(double, request, body)

    return Route(path, checked, methods=[method])


async def page_file(request: Request) -> Response:
    """A file of web/ with the security headers that the real app sends; unlike there, the browser may keep it."""
    path = WEB / (request.path_params.get("path") or "")
    path = path / "index.html" if path.is_dir() else path
    if not path.is_file() or WEB not in path.resolve().parents:
        return problem(Refusal(404, "not_found"))
    headers = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "cache-control": "max-age=600"}
    return Response(path.read_bytes(), media_type=TYPES[path.suffix], headers=headers)


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A running server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
        contract = [route(server, *entry) for entry in CONTRACT]
        app = Starlette(routes=[*contract, Route("/api", page_file), Route("/api/{path:path}", page_file)])
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        http = uvicorn.Server(config)
        thread = threading.Thread(target=http.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.should_exit = True
            thread.join(10)
