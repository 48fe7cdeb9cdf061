"""A server that speaks the operator routes and answers the workbook's queries with what a test put there."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.workbook.document import load
from tests.browser.double import Seen, page_file, problem
from tests.browser.script import Refusal

KEY = "operator-key"
LANES = ("interactive", "standard", "batch")
WORKBOOK = load()


def result(columns: str, *rows: list[Any], partial: str | None = None) -> dict[str, Any]:
    """A result; columns are written `name:type, name:type`."""
    named = [part.strip().rsplit(":", 1) for part in columns.split(",")]
    described = [{"name": name, "type": kind} for name, kind in named]
    return {"columns": described, "rows": list(rows), "partial": partial}


def over_time(*series: str) -> dict[str, Any]:
    """Numbers of the last half hour for these series."""
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
    rows = [
        [(begin + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ"), name, 10.0 + minute % 7 + place]
        for minute in range(30)
        for place, name in enumerate(series)
    ]
    return result("timestamp:datetime, outcome:string, turns:real", *rows)


TILE = "what:string, value:string, note:string, state:string"
SLOWEST = "Ended:datetime, Lane:string, Total:real, Turn:string, Trace:string"
RESULTS: dict[str, dict[str, Any]] = {
    "parameter-Tenant": result("tenant:string", ["contoso"], ["fabrikam"]),
    "parameter-Deployment": result("deployment:string", ["chat-0"], ["chat-1"]),
    "parameter-Measure": result("measure:string", ["answered"], ["safety"]),
    "overview-service": result(TILE, ["Error budget left", "87.5 %", "30 days, objective 99.9 %", "good"]),
    "overview-answers": result(
        TILE, ["Answered turns", "1200", "of 1201", "good"], ["First token, p95", "4.1 s", "target 2 s", "bad"]
    ),
    "overview-verdict": result(TILE, ["Last evaluation", "HOLD", "ended today", "warn"]),
    "overview-cost": result(TILE, ["Cost today", "12.34", "since midnight", "info"]),
    "overview-turns": over_time("succeeded", "failed"),
    "overview-attention": result(
        "What happened:string, Times:long, Last time:datetime", ["fail turn", 12, "2026-11-28T15:00:00Z"]
    ),
    "throughput-turns": over_time("interactive, succeeded", "batch, failed"),
    "latency-slowest": result(
        SLOWEST,
        ["2026-11-28T15:00:00Z", "standard", 9000.0, "t" * 32, "a" * 32],
        ["2026-11-28T15:01:00Z", "batch", 700.0, "u" * 32, "b" * 32],
    ),
    "latency-trace": result("Step:string, Took:real", ["spillway.run", 8000.0], ["chat gpt-4o-mini", 7000.0]),
    "cost-lanes": result("lane:string, cost:real", ["interactive", 3.0], ["batch", 1.0]),
}


def deployment(name: str, **more: Any) -> dict[str, Any]:
    """A deployment as operators see it."""
    usual = {
        "name": name,
        "model": "gpt-4o-mini",
        "region": "swedencentral",
        "tier": "standard",
        "limit_tokens_per_minute": 450_000,
        "spent_tokens_by_this_instance": 1000,
        "utilisation": 0.42,
        "ledger_away": False,
        "failing": False,
        "cooling_seconds": 0.0,
        "first_token_ms": 312.4,
        "calls": 120,
        "overloads": 3,
        "faults": 1,
        "draining": False,
    }
    return usual | more


@dataclass
class ConsoleDouble:
    """What the server plays in one test."""

    results: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(RESULTS))
    refusals: dict[str, Refusal] = field(default_factory=dict)
    queries: bool = True
    portal_url: str | None = None
    operates: bool = True
    lanes: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            lane: {"lane": lane, "paused": False, "waiting": place * 40, "expected_wait_seconds": place * 12.5}
            for place, lane in enumerate(LANES)
        }
    )
    deployments: list[dict[str, Any]] = field(
        default_factory=lambda: [
            deployment("chat-0"),
            deployment("chat-1", utilisation=0.95, cooling_seconds=3.2, ledger_away=True, failing=True),
        ]
    )
    letters: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {lane: [] for lane in LANES})
    seen: list[Seen] = field(default_factory=list)

    def asked(self, name: str) -> list[dict[str, Any]]:
        """The parameters with which a query was asked, in order."""
        return [one.body["parameters"] for one in self.seen if one.path == f"/api/workbook/queries/{name}"]

    def done(self, path: str) -> list[Any]:
        """The bodies that were posted to an operator route."""
        return [one.body for one in self.seen if one.path == path and one.method == "POST"]

    def answer(self, request: Request, body: Any) -> Response:
        """The answer to a request with a valid key."""
        path = request.url.path.removeprefix("/api/")
        if path in self.refusals:
            return problem(self.refusals[path])
        first, *rest = path.split("/")
        if first == "workbook":
            return self._workbook(rest)
        if path == "capacity":
            return JSONResponse({"instance": "double", "deployments": self.deployments})
        if first == "operations" and self.operates:
            return self._operate(rest, body)
        if first == "dead-letters":
            return self._letters(rest, request, body)
        return problem(Refusal(404, "not_found"))

    def _workbook(self, rest: list[str]) -> Response:
        if not rest:
            described = {"workbook": WORKBOOK.content, "queries": self.queries, "portal_url": self.portal_url}
            return JSONResponse(described)
        if rest[-1] not in WORKBOOK.queries:
            return problem(Refusal(404, "not_found"))
        return JSONResponse(self.results.get(rest[-1], result("timestamp:datetime, n:real")))

    def _operate(self, rest: list[str], body: Any) -> Response:
        if rest and rest[0] == "lanes":
            self.lanes[rest[1]] |= body
        elif rest:
            next(one for one in self.deployments if one["name"] == rest[1]).update(body)
        return JSONResponse({"lanes": list(self.lanes.values()), "deployments": self.deployments})

    def _letters(self, rest: list[str], request: Request, body: Any) -> Response:
        if not rest:
            lane = request.query_params["lane"]
            return JSONResponse({"lane": lane, "dead_letters": self.letters[lane]})
        chosen = [one for one in self.letters[body["lane"]] if one["sequence_number"] in body["sequence_numbers"]]
        self.letters[body["lane"]] = [one for one in self.letters[body["lane"]] if one not in chosen]
        replayed = [{**one, "replayed_as": "r" * 32} for one in chosen]
        return JSONResponse({"lane": body["lane"], "replayed": replayed})


@dataclass
class ConsoleServer:
    """The running server; each test gives it a fresh double."""

    url: str
    double: ConsoleDouble = field(default_factory=ConsoleDouble)


@contextlib.contextmanager
def serving_console() -> Iterator[ConsoleServer]:
    """A running server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ConsoleServer(f"http://127.0.0.1:{listener.getsockname()[1]}")

        async def route(request: Request) -> Response:
            first = request.url.path.removeprefix("/api/").split("/")[0]
            if first not in {"workbook", "operations", "capacity", "dead-letters"}:
                return await page_file(request)
            body = json.loads(await request.body() or "null")
            server.double.seen.append(Seen(request.method, request.url.path, dict(request.headers), body))
            if request.headers.get("x-functions-key") != KEY:
                status, code = (
                    (403, "forbidden") if request.headers.get("x-functions-key") == "user" else (401, "unauthorized")
                )
                return problem(Refusal(status, code))
            return server.double.answer(request, body)

        app = Starlette(routes=[Route("/api/{path:path}", route, methods=["GET", "POST"])])
        config = uvicorn.Config(app, log_config=None, log_level="critical", lifespan="off", ws="none")
        http = uvicorn.Server(config)
        thread = threading.Thread(target=http.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.should_exit = True
            thread.join(10)
