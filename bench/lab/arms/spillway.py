"""The app as its callers use it: streams that are resumed, 202 that is not waited for, Retry-After that is obeyed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2

from bench.lab.arms.frame import Ask, Orders, main
from bench.lab.record import Record
from bench.lab.schedule import Planned

MOST_RESUMPTIONS = 20
RESUME_SECONDS = 0.5
RETRIES_TIMES = {429: 1, 503: 10}
"""Refusals after which callers come back, and how many times the scenario's retries: an outage says no sooner."""


class Caller:
    """Asks the app's native route."""

    def __init__(self, client: httpx2.AsyncClient, orders: Orders) -> None:
        self._client, self._orders = client, orders

    async def ask(self, planned: Planned, made: Record) -> None:
        """One turn, with as many tries as refusals and the scenario allow."""
        while True:
            made.sent_at = time.time()
            wait = await self._try(planned, made)
            if wait is None:
                return
            await asyncio.sleep(wait)

    async def _try(self, planned: Planned, made: Record) -> float | None:
        """Seconds until the next try; None when there is none."""
        body = {"message": planned.text, "lane": planned.lane}
        streams = planned.mode == "stream"
        headers = {"x-functions-key": self._orders.keys[planned.tenant]}
        headers |= {"accept": "text/event-stream"} if streams else {"prefer": "respond-async"}
        headers["x-spillway-sent-at"] = f"{made.sent_at:.6f}"
        reading = Reading(made)
        try:
            async with self._client.stream("POST", "/api/chat", json=body, headers=headers) as reply:
                if reply.status_code not in {200, 202}:
                    await reply.aread()
                    return self._refused(reply, made)
                made.accepted_at, made.turn_id = time.time(), reply.headers.get("x-spillway-turn-id")
                if not streams:
                    await reply.aread()
                    made.expected_wait_seconds = reply.json().get("expected_wait_seconds")
                    made.outcome = "accepted"
                    return None
                await reading.read(reply)
        except httpx2.HTTPError as fault:
            if made.accepted_at is None:
                made.outcome = type(fault).__name__
                return None
        await self._resume(planned, made, reading)
        return None

    def _refused(self, reply: httpx2.Response, made: Record) -> float | None:
        milliseconds = reply.headers.get("retry-after-ms")
        wait = None if milliseconds is None else float(milliseconds) / 1000
        made.refused.append((reply.status_code, time.time(), wait))
        made.outcome = "refused" if reply.status_code in RETRIES_TIMES else f"status_{reply.status_code}"
        so_often = sum(status == reply.status_code for status, _, _ in made.refused)
        return wait if so_often <= self._orders.retries * RETRIES_TIMES.get(reply.status_code, 0) else None

    async def _resume(self, planned: Planned, made: Record, reading: "Reading") -> None:
        """Goes on where a stream ended before its turn did."""
        for _ in range(MOST_RESUMPTIONS):
            if reading.over:
                return
            await asyncio.sleep(RESUME_SECONDS)
            headers = {
                "x-functions-key": self._orders.keys[planned.tenant],
                "accept": "text/event-stream",
                "last-event-id": str(reading.last_id),
            }
            try:
                async with self._client.stream("GET", f"/api/chat/{made.turn_id}/stream", headers=headers) as reply:
                    if reply.status_code == 200:
                        await reading.read(reply)
                    else:
                        await reply.aread()
            except httpx2.HTTPError:
                continue
        if not reading.over:
            made.outcome = "broken"


class Reading:
    """An answer as a caller pieces it together from events, over as many connections as it takes."""

    def __init__(self, made: Record) -> None:
        self.made = made
        self.last_id = 0
        self.over = False

    async def read(self, reply: httpx2.Response) -> None:
        """Takes the events of one connection."""
        async for sequence, name, data in events(reply):
            self._take(sequence, name, data)

    def _take(self, sequence: int, name: str, data: dict[str, Any]) -> None:
        made, now = self.made, time.time()
        if name == "delta":
            if sequence <= self.last_id:
                made.repeats += 1
            if made.first_token_at is None:
                made.first_token_at = now
            made.text += data["text"]
        elif name == "queued" and made.expected_wait_seconds is None:
            made.expected_wait_seconds = data.get("expected_wait_seconds")
        elif name == "restart":
            made.restarts, made.text, made.first_token_at = made.restarts + 1, "", None
        elif name in {"done", "error"}:
            self.over, made.ended_at = True, now
            made.outcome = "done" if name == "done" else data["error"]["code"]
        self.last_id = max(self.last_id, sequence)


async def events(reply: httpx2.Response) -> AsyncIterator[tuple[int, str, dict[str, Any]]]:
    """Server-sent events as (id, name, data)."""
    sequence, name = 0, ""
    async for line in reply.aiter_lines():
        if line.startswith("id: "):
            sequence = int(line[4:])
        elif line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield sequence, name, json.loads(line[6:])


async def opened(orders: Orders) -> tuple[Ask, Callable[[], Awaitable[None]]]:
    """One client with as many connections as there are callers."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=200)
    timeout = httpx2.Timeout(orders.patience_seconds, connect=30.0)
    client = httpx2.AsyncClient(base_url=orders.url, timeout=timeout, limits=limits)
    return Caller(client, orders).ask, client.aclose


if __name__ == "__main__":
    main(opened)
