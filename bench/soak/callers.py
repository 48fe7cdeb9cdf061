"""Callers who do not give up: whoever does not know what became of a question asks again under the same key."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bench.lab.arms.spillway import Reading
from bench.lab.outcomes import TERMINAL
from bench.lab.record import Record
from bench.soak.stack import key_of
from bench.soak.traffic import Visit

RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 5.0
POLL_SECONDS = 1.0
AGAIN = frozenset({429, 503})
"""Refusals after which one comes back."""
PATIENCE_SECONDS = 420.0
"""Longer than any deadline of the lanes that are waited for."""


@dataclass(slots=True)
class Seen:
    """What a caller of one turn saw.

    Attributes:
        turn_ids: All that it was told under its one key; more than one is a fault.
        end: State of the turn as the caller was told last; None when it was never told an end.
        ends: Every end that it was told, in order; they must be the same.
        cancelled: What the answer to its cancellation said.
        statuses: Of all responses; `0` for a connection that broke or a response that did not come.
        unsaid: A refusal that was neither 429 nor 503, with its body.
    """

    record: Record
    turn_ids: set[str] = field(default_factory=set)
    end: str | None = None
    ends: list[str] = field(default_factory=list)
    cancelled: str | None = None
    statuses: Counter[int] = field(default_factory=Counter)
    unsaid: list[str] = field(default_factory=list)


class Caller:
    """One visit."""

    def __init__(self, client: httpx2.AsyncClient, visit: Visit, seen: Seen) -> None:
        """Takes the connection pool."""
        self._client, self._visit, self.seen = client, visit, seen
        self._reading = Reading(seen.record)

    async def go(self) -> None:
        """Carries the visit out; whatever happens is in `seen`."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._behave()
                self.seen.record.outcome = self.seen.end or "left"
        except TimeoutError:
            self.seen.record.outcome = "gave_up"
        self.seen.record.ended_at = time.time()

    async def _behave(self) -> None:
        match self._visit.manner:
            case "stream":
                await self._stream()
            case "leave":
                await self._stream(until_first=True)
            case "cancel_streaming":
                await self._stream(until_first=True)
                await self._cancel()
            case "cancel_early":
                await self._ask("respond-async")
                await self._cancel()
            case "poll":
                await self._ask("respond-async")
                await self._poll()
            case "wait":
                await self._ask("wait")
                await self._poll()
            case "twice":
                await self._ask("respond-async")
                await self._poll()
                await self._ask("respond-async")
            case _:
                await asyncio.gather(self._ask("respond-async"), self._ask("respond-async"))
                await self._poll()

    def _headers(self) -> dict[str, str]:
        return {"x-functions-key": key_of(self._visit.planned.tenant)}

    def _question(self, **headers: str) -> dict[str, Any]:
        planned = self._visit.planned
        body = {"message": planned.text, "lane": planned.lane}
        if self._visit.session is not None:
            body["session_id"] = self._visit.session
        return {"json": body, "headers": {**self._headers(), "idempotency-key": self._visit.key, **headers}}

    async def _ask(self, prefer: str) -> None:
        """Asks until the turn is taken."""
        record, tries = self.seen.record, 0
        while True:
            record.sent_at = time.time()
            reply = await self._send("POST", "/api/chat", **self._question(prefer=prefer))
            if reply is not None and reply.status_code in {200, 202}:
                self._taken(reply)
                return
            if reply is not None and reply.status_code not in AGAIN and "x-spillway-turn-id" in reply.headers:
                # The turn was taken, and ended without an answer while its caller held the connection.
                self._taken(reply)
                return
            tries += 1
            await self._pause(reply, tries)

    def _taken(self, reply: httpx2.Response) -> None:
        record = self.seen.record
        record.accepted_at = record.accepted_at or time.time()
        record.turn_id = record.turn_id or reply.headers["x-spillway-turn-id"]
        self.seen.turn_ids.add(reply.headers["x-spillway-turn-id"])
        if reply.status_code in {200, 202}:
            self._told(reply.json())

    def _told(self, turn: dict[str, Any]) -> None:
        if (state := turn["state"]) in TERMINAL:
            self.seen.end = state
            self.seen.ends.append(state)
            self.seen.record.text = turn.get("answer") or ""

    async def _stream(self, *, until_first: bool = False) -> None:
        """Reads the answer as events, over as many connections as it takes; or until there is a first text."""
        tries = 0
        while not self._reading.over:
            tries += 1
            if await self._read_once(until_first=until_first) and until_first:
                return
            if not self._reading.over:
                await asyncio.sleep(min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * tries))
        self.seen.end = "succeeded" if self.seen.record.outcome == "done" else await self._state()
        self.seen.ends.append(self.seen.end or "")

    async def _read_once(self, *, until_first: bool) -> bool:
        """One connection; whether there was text on it."""
        record = self.seen.record
        if record.turn_id is None:
            method, path, options = "POST", "/api/chat", self._question(accept="text/event-stream")
        else:
            method, path = "GET", f"/api/chat/{record.turn_id}/stream"
            resume = {"accept": "text/event-stream", "last-event-id": str(self._reading.last_id)}
            options = {"headers": {**self._headers(), **resume}}
        record.sent_at = time.time()
        try:
            async with self._client.stream(method, path, **options) as reply:
                self.seen.statuses[reply.status_code] += 1
                if reply.status_code != 200:
                    await reply.aread()
                    self._unsaid(reply)
                    return False
                if record.turn_id is None:
                    record.accepted_at, record.turn_id = time.time(), reply.headers["x-spillway-turn-id"]
                self.seen.turn_ids.add(reply.headers["x-spillway-turn-id"])
                await (self._first(reply) if until_first else self._reading.read(reply))
        except httpx2.HTTPError:
            self.seen.statuses[0] += 1
        return record.first_token_at is not None

    async def _first(self, reply: httpx2.Response) -> None:
        reading = asyncio.create_task(self._reading.read(reply))
        try:
            while not reading.done() and self.seen.record.first_token_at is None:
                await asyncio.wait({reading}, timeout=0.02)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _cancel(self) -> None:
        tries = 0
        while True:
            reply = await self._send("DELETE", f"/api/chat/{self.seen.record.turn_id}", headers=self._headers())
            if reply is not None and reply.status_code == 200:
                self.seen.cancelled = reply.json()["state"]
                self._told(reply.json())
                return
            tries += 1
            await self._pause(reply, tries)

    async def _poll(self) -> None:
        """Asks until the turn is over."""
        while self.seen.end is None:
            await asyncio.sleep(POLL_SECONDS)
            await self._state()

    async def _state(self) -> str | None:
        reply = await self._send("GET", f"/api/chat/{self.seen.record.turn_id}", headers=self._headers())
        if reply is None or reply.status_code != 200:
            return None
        turn: dict[str, Any] = reply.json()
        self._told(turn)
        return str(turn["state"])

    async def _send(self, method: str, path: str, **options: Any) -> httpx2.Response | None:
        """A response; None when none came."""
        try:
            reply = await self._client.request(method, path, **options)
        except httpx2.HTTPError:
            self.seen.statuses[0] += 1
            return None
        self.seen.statuses[reply.status_code] += 1
        self._unsaid(reply)
        return reply

    def _unsaid(self, reply: httpx2.Response) -> None:
        if reply.status_code >= 400 and reply.status_code not in AGAIN:
            self.seen.unsaid.append(f"{reply.status_code} {reply.text[:300]}")

    async def _pause(self, reply: httpx2.Response | None, tries: int) -> None:
        said = None if reply is None else reply.headers.get("retry-after")
        backoff = min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * tries)
        await asyncio.sleep(backoff if said is None else max(RETRY_SECONDS, float(said)))
