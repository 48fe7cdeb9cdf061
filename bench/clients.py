"""Streaming callers in a process of their own, with as little work per byte as Python allows.

`python -m bench.clients PLAN` reads a plan as JSON from standard input and writes what it saw to standard output. Bytes
and their times are noted while streams run and are looked at afterwards, so that the callers do not delay themselves.
"""

import asyncio
import itertools
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvloop

from tests.processes import ROOT

LAST_CHUNK = b"0\r\n\r\n"
PATIENCE_SECONDS = 120.0
RUN = 1_000_000_000
"""Event ids of Spillway: the number of the run times this, plus the characters of the answer so far."""


@dataclass(frozen=True)
class Plan:
    """What to ask, how often and how many at a time.

    Attributes:
        url: Base address.
        path: Where to post.
        headers: Of each request.
        body: JSON body of each request.
        callers: Connections, each with one request at a time.
        requests: Per caller; 0 to go on until `seconds` are over.
        seconds: See `requests`.
        spread_seconds: The callers begin evenly over this time.
        details: Report the frames of every stream and not only totals.
    """

    url: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    callers: int
    requests: int = 1
    seconds: float = 0.0
    spread_seconds: float = 0.0
    details: bool = False


@dataclass
class Stream:
    """One answer: when it began, and what came when."""

    began: float
    parts: list[tuple[float, bytes]] = field(default_factory=list)
    ended: float = 0.0


class Caller(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self) -> None:
        """Not connected."""
        self.stream = Stream(0.0)
        self.done: asyncio.Future[None] | None = None
        self.transport: Any = None
        self._end = b""

    def connection_made(self, transport: Any) -> None:
        """Connected."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Notes what came; the end of a chunked body ends the answer, and so does a refusal."""
        now = time.perf_counter()
        self.stream.parts.append((now, data))
        self._end = (self._end + data)[-len(LAST_CHUNK) :]
        if self._end == LAST_CHUNK or b"\r\ncontent-length: " in data.lower():
            self._finish(now)

    def connection_lost(self, exc: Exception | None) -> None:
        """A broken connection ends the answer too; its text will be found wanting."""
        del exc
        self._finish(time.perf_counter())

    def _finish(self, now: float) -> None:
        if self.done is not None and not self.done.done():
            self.stream.ended = now
            self.done.set_result(None)

    async def ask(self, request: bytes) -> Stream:
        """One request and its whole answer."""
        self.done = asyncio.get_running_loop().create_future()
        self.stream = Stream(time.perf_counter())
        self.transport.write(request)
        await self.done
        return self.stream


async def run(plan: Plan) -> dict[str, Any]:
    """Carries out a plan."""
    address = urlsplit(plan.url)
    body = json.dumps(plan.body).encode()
    head = [f"POST {plan.path} HTTP/1.1", f"host: {address.netloc}", "content-type: application/json"]
    head += [f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in plan.headers.items())]
    request = "\r\n".join([*head, "", ""]).encode() + body
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    waiting = set[Caller]()

    async def caller(number: int) -> list[Stream]:
        await asyncio.sleep(plan.spread_seconds * number / plan.callers)
        streams: list[Stream] = []
        protocol: Caller | None = None
        while len(streams) < plan.requests or (not plan.requests and time.perf_counter() - began < plan.seconds):
            if protocol is None or protocol.transport.is_closing():
                _, protocol = await loop.create_connection(Caller, address.hostname or "127.0.0.1", address.port or 80)
            waiting.add(protocol)
            streams.append(await protocol.ask(request))
            waiting.discard(protocol)
        assert protocol is not None, "the plan asks nothing"
        protocol.transport.close()
        return streams

    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            streams = [stream for some in await asyncio.gather(*map(caller, range(plan.callers))) for stream in some]
    except TimeoutError as late:
        ends = {b"".join(data for _, data in protocol.stream.parts)[-200:] for protocol in waiting}
        message = f"{len(waiting)} of {plan.callers} answers of {plan.url} did not end; they had got {list(ends)[:3]}"
        raise RuntimeError(message) from late
    seconds = max(stream.ended for stream in streams) - began
    seen = [look(stream) for stream in streams]
    return {
        "answers": len(seen),
        "seconds": round(seconds, 4),
        "complete": sum(answer["complete"] for answer in seen),
        "first_ms": [answer["first_ms"] for answer in seen],
        "last_ms": [answer["last_ms"] for answer in seen],
        **({"streams": seen} if plan.details else {}),
    }


def look(stream: Stream) -> dict[str, Any]:
    """What one caller got, in either form of stream.

    `gap_ms` is the longest pause between two pieces of text; `complete` that all text is there and the end was said:
    event ids have to count every character in Spillway's form, and in OpenAI's the text and [DONE] have to be there.
    """
    times, text, whole, ended = list[float](), "", True, False
    for when, sequence, data in frames(stream):
        if data == "[DONE]":
            ended = True
            continue
        value = json.loads(data)
        piece = value.get("text") or ((value.get("choices") or [{}])[0].get("delta") or {}).get("content") or ""
        if piece:
            times.append(when)
            text += piece
            if sequence is not None:
                whole = whole and sequence % RUN == len(text)
        ended = ended or value.get("state") == "succeeded"
    first = times[0] if times else stream.ended
    return {
        "frames": len(times),
        "characters": len(text),
        "text": text,
        "complete": bool(ended and whole and text),
        "first_ms": round((first - stream.began) * 1000, 3),
        "last_ms": round(((times[-1] if times else stream.ended) - stream.began) * 1000, 3),
        "gap_ms": round(max((b - a for a, b in itertools.pairwise(times)), default=0.0) * 1000, 3),
    }


def frames(stream: Stream) -> list[tuple[float, int | None, str]]:
    """The data of each event, its id, and when its last byte came."""
    found, rest, sequence = list[tuple[float, int | None, str]](), b"", None
    for when, part in stream.parts:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line.startswith(b"id: "):
                sequence = int(line[4:])
            elif line.startswith(b"data: "):
                found.append((when, sequence, line[6:].decode().rstrip("\r")))
    return found


def call(plan: Plan, *, core: int | None = None) -> dict[str, Any]:
    """Carries out a plan in another process, on a core of its own if wanted."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    output = subprocess.run(
        [*pinned, sys.executable, "-m", "bench.clients"],
        input=json.dumps(asdict(plan)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if output.returncode:
        raise RuntimeError(f"the callers failed: {output.stderr[-2000:]}")
    seen: dict[str, Any] = json.loads(output.stdout)
    return seen


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Plan(**json.load(sys.stdin))))))
