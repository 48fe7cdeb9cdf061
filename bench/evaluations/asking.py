"""Questions of users: every one is sent at its intended moment, whatever became of those before it."""

import asyncio
import csv
import json
import random
import time
from dataclasses import dataclass

import httpx2

from tests.datasets import DEFAULT


@dataclass(slots=True)
class Asked:
    """One question and what became of it. Times are seconds since the run began, from the *intended* moment."""

    number: int
    text: str
    lane: str
    intended: float
    status: int = 0
    turn_id: str | None = None
    outcome: str = "open"
    first_token: float | None = None
    ended: float | None = None
    retry_after: float | None = None


def questions(count: int, seed: int) -> list[str]:
    """Real customer questions, each made unlike the others by a number; a few of our own where the data is absent."""
    path = DEFAULT / "banking77" / "test.csv"
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            texts = [row["text"].strip() for row in csv.DictReader(file)]
    else:
        texts = ["Where is my order?", "Can I return this?", "How long is the warranty?", "Do you deliver abroad?"]
    random.Random(seed).shuffle(texts)
    return [f"{texts[n % len(texts)]} (case {n})" for n in range(count)]


async def send_all(url: str, key: str, asked: list[Asked], *, patience_seconds: float) -> None:
    """Sends everything at its moment; interactive callers hold a stream, the others take 202."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=200)
    began = time.monotonic()
    async with httpx2.AsyncClient(
        base_url=url, headers={"x-functions-key": key}, timeout=patience_seconds, limits=limits
    ) as client:
        await asyncio.gather(*(_send(client, entry, began) for entry in asked))


async def _send(client: httpx2.AsyncClient, entry: Asked, began: float) -> None:
    await asyncio.sleep(max(0.0, began + entry.intended - time.monotonic()))
    body = {"message": entry.text, "lane": entry.lane}
    headers = {"accept": "text/event-stream"} if entry.lane == "interactive" else {"prefer": "respond-async"}
    try:
        async with client.stream("POST", "/api/chat", json=body, headers=headers) as reply:
            entry.status = reply.status_code
            entry.turn_id = reply.headers.get("x-spillway-turn-id")
            entry.retry_after = float(reply.headers.get("retry-after-ms", "nan")) / 1000
            if reply.status_code == 200:
                await _read(reply, entry, began)
            else:
                await reply.aread()
                entry.outcome = "accepted" if reply.status_code == 202 else "refused"
    except httpx2.HTTPError as fault:
        entry.outcome = type(fault).__name__


async def _read(reply: httpx2.Response, entry: Asked, began: float) -> None:
    name = ""
    async for line in reply.aiter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            now = time.monotonic() - began - entry.intended
            if name == "delta" and entry.first_token is None:
                entry.first_token = now
            elif name == "restart":
                entry.first_token = None
            elif name in {"done", "error", "continue"}:
                entry.ended = now
                entry.outcome = name if name != "error" else json.loads(line[6:])["error"]["code"]
