"""How long a page of the workbook takes over a million rows: local Application Insights, filled through its ingestion.

Every tab is asked for as the console does it: its drop-downs and its panels at the same time, at most as many as a
browser keeps connections to one host. A tab is first asked for with nothing kept, then again, which is what a page
that refreshes itself does; what the service has kept of one asking may help it with the next.
"""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
import psutil

from bench.machine import machine, write
from bench.workbook.file import queries_by_tab
from bench.workbook.telemetry import batches
from tests.processes import Service, running

ROWS = 1_000_000
HOURS = 24
REPEATS = 5
CONNECTIONS = 6
"""What Chromium keeps to one host."""
SENDERS = 4
TARGET_SECONDS = 3.0
EMPTY = frozenset({"quality-alarms"})
"""What finds nothing here: the app sends these lines when quality drifts."""


def run(rows: int = ROWS, *, results: Path | None = None) -> dict[str, Any]:
    """Fills the service with `rows` and asks for every tab; writes bench/results/workbook.json for a whole run."""
    description = machine()
    with tempfile.TemporaryDirectory(prefix="spillway-workbook-") as scratch:
        folder = Path(scratch)
        with running("local.insights", "--port", "0", "--data", str(folder / "data"), folder=folder) as service:
            filled = _fill(service, rows)
            tabs = {name: _tab(service, queries) for name, queries in queries_by_tab(HOURS).items()}
    result = {
        "machine": description,
        "rows": rows,
        "rows_in_hours": HOURS,
        "ingestion": filled,
        "target_s": TARGET_SECONDS,
        "passed": all(tab["median_s"] < TARGET_SECONDS for tab in tabs.values()),
        "tabs": tabs,
    }
    if rows == ROWS or results is not None:
        write("workbook", result, *([] if results is None else [results]))
    return result


def _fill(service: Service, rows: int) -> dict[str, Any]:
    """Sends everything; each request is answered when it is durable."""
    began = time.monotonic()
    with httpx2.Client(base_url=service.url, timeout=120) as http, ThreadPoolExecutor(SENDERS) as senders:

        def send(batch: bytes) -> int:
            reply = http.post("/v2.1/track", content=batch, headers={"content-type": "application/json"})
            reply.raise_for_status()
            return int(reply.json()["itemsAccepted"])

        sent = sum(_bounded(senders, send, batches(rows, datetime.now(UTC), HOURS)))
    seconds = time.monotonic() - began
    return {"envelopes": sent, "seconds": round(seconds, 1), "envelopes_per_second": round(sent / seconds)}


def _bounded(senders: ThreadPoolExecutor, send: Any, bodies: Iterator[bytes]) -> Iterator[int]:
    """Keeps few bodies under way, so that a million rows need not be held here."""
    waiting: list[Any] = []
    for body in bodies:
        waiting.append(senders.submit(send, body))
        if len(waiting) > 2 * SENDERS:
            yield waiting.pop(0).result()
    for one in waiting:
        yield one.result()


def _tab(service: Service, queries: dict[str, str]) -> dict[str, Any]:
    """Times of one tab: seconds until all is there, and what the service worked for it."""
    process = psutil.Process(service.process.pid)
    walls, works, single = [], [], dict[str, list[float]]()
    with httpx2.Client(base_url=service.url, timeout=120) as http, ThreadPoolExecutor(CONNECTIONS) as browser:
        for _ in range(REPEATS + 1):
            before, began = _cpu(process), time.monotonic()
            for name, seconds in browser.map(lambda query: _ask(http, *query), queries.items()):
                single.setdefault(name, []).append(seconds)
            walls.append(time.monotonic() - began)
            works.append(_cpu(process) - before)
    return {
        "first_s": round(walls[0], 3),
        "median_s": round(median(walls[1:]), 3),
        "most_s": round(max(walls[1:]), 3),
        "cpu_s": round(median(works[1:]), 3),
        "queries_s": {name: round(median(seconds[1:]), 3) for name, seconds in single.items()},
    }


def _ask(http: httpx2.Client, name: str, text: str) -> tuple[str, float]:
    began = time.monotonic()
    reply = http.post("/v1/apps/local/query", json={"query": text})
    seconds = time.monotonic() - began
    if reply.status_code != 200 or "error" in reply.json():
        raise RuntimeError(f"{name}: {reply.text[:500]}")
    if not reply.json()["tables"][0]["rows"] and name not in EMPTY:
        raise RuntimeError(f"{name} found nothing: what was sent is not what the workbook reads")
    return name, seconds


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
