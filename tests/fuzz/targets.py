"""What is fuzzed: each target takes bytes and raises only when something is wrong."""

import asyncio
import contextlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from local.cosmos.sql.errors import QueryError, QueryTooExpensive
from local.cosmos.sql.parser import parse
from local.cosmos.sql.pipeline import compile_query
from local.cosmos.sql.plan import make_plan
from local.cosmos.sql.printer import print_query
from local.cosmos.sql.scope import Budget
from local.cosmos.sql.syntax import Query
from local.servicebus.amqp.decoder import decode, raw_list, raw_map, skip
from local.servicebus.amqp.encoder import encode
from local.servicebus.amqp.errors import AmqpError, DecodeError
from local.servicebus.amqp.frames import Frame, FrameReader
from local.servicebus.amqp.performatives import read_performative
from local.servicebus.broker.message import batched_messages, read_content
from shared.adapters.openai_chat import OpenAIChat, OpenAIConnections
from shared.policies.classify import classify
from shared.ports import Chunk, ModelRefusal, ModelRequest
from shared.settings import Deployment
from shared.turns import Message

ITEMS = [
    {"id": "a", "n": 1, "s": "text", "a": [1, "b", None], "o": {"k": True}},
    {"id": "b", "n": -2.5, "v": [0.5, 0.25]},
    {"id": "c", "s": None, "a": []},
]
DEPLOYMENT = Deployment("d", "m", "http://model.invalid/v1/", "d")
REQUEST = ModelRequest("0" * 32, (Message("user", "Hello"),), 10)
DAY_SECONDS = 86_400.0
FEATURES = (
    "Distinct,Top,OffsetAndLimit,OrderBy,MultipleOrderBy,NonStreamingOrderBy,GroupBy,Aggregate,MultipleAggregates,"
    "NonValueAggregate,CountIf"
)


def amqp_values(data: bytes) -> None:
    """A value is refused, or `skip` finds the same end and what it is encoded as stays the same from then on."""
    for reader in (raw_map, raw_list):
        with contextlib.suppress(DecodeError):
            reader(data, 0)
    try:
        value, end = decode(data)
    except DecodeError:
        return
    assert 0 < end <= len(data)
    assert skip(data, 0) == end
    encoded = encode(value)
    again, _ = decode(encoded)
    assert encode(again) == encoded


def amqp_frames(data: bytes) -> None:
    """A stream of bytes is split into frames whichever way it was cut, and each frame is read or refused."""
    whole, cut = _frames([data]), _frames([data[at : at + 7] for at in range(0, len(data), 7)])
    assert whole == cut
    for frame in whole:
        if isinstance(frame, Frame):
            with contextlib.suppress(AmqpError):
                read_performative(frame.body)


def _frames(parts: list[bytes]) -> list[bytes | Frame]:
    reader, found = FrameReader(), []
    with contextlib.suppress(AmqpError):
        for part in parts:
            found.extend(reader.feed(part))
    return found


def amqp_messages(data: bytes) -> None:
    """A transfer's payload is a message or is refused."""
    for reader in (read_content, batched_messages):
        with contextlib.suppress(AmqpError):
            reader(data)


def cosmos_queries(data: bytes) -> None:
    """A text is a query that prints as itself and runs within its budget, or is refused."""
    text = data.decode("utf-8", "replace")
    try:
        tree = parse(text)
    except QueryError:
        return
    with contextlib.suppress(_TooDeep):
        assert _parsed(print_query(tree)) == tree
    try:
        pipeline = compile_query(tree)
        environment = pipeline.environment({"@p": 1}, Budget(steps=20_000, seconds=2.0))
        for row in pipeline.rows(environment, enumerate(ITEMS)):
            json.dumps(row.value, allow_nan=False)
    except (QueryError, QueryTooExpensive):
        return
    with contextlib.suppress(QueryError):
        make_plan(tree, FEATURES, {"@p": 1}, {})


class _TooDeep(Exception):
    """Brackets that printing adds count as levels."""


def _parsed(text: str) -> Query:
    try:
        return parse(text)
    except QueryError as error:
        raise (_TooDeep if "nested deeper" in error.message else AssertionError(str(error))) from error


def throttles(data: bytes) -> None:
    """Any refusal of a model has a verdict whose times and limits can be calculated with."""
    head, _, message = data.decode("latin-1").partition("\n\n")
    headers = {}
    for line in head.split("\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    status = 429 if not headers.get("status", "").isascii() else _status(headers.get("status", ""))
    verdict = classify(
        status=status, code=headers.get("code"), message=message, headers=headers, configured_tokens_per_minute=1000
    )
    wait = verdict.retry_after_seconds
    assert wait is None or (math.isfinite(wait) and 0 <= wait <= DAY_SECONDS)
    assert verdict.limit_tokens is None or 0 < verdict.limit_tokens < 1000


def _status(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) == 3 else 429


def model_streams(data: bytes) -> None:
    """What a model deployment streams becomes pieces of text, or a refusal; nothing else ever gets out."""
    _loop().run_until_complete(_read_stream(data))


async def _read_stream(data: bytes) -> None:
    chat = OpenAIChat(_Streaming(data))
    try:
        stream = await chat.open(DEPLOYMENT, REQUEST)
        try:
            async for chunk in stream:
                assert isinstance(chunk, Chunk)
                assert isinstance(chunk.text, str)
                assert chunk.finish_reason is None or isinstance(chunk.finish_reason, str)
                if chunk.usage is not None:
                    assert all(isinstance(count, int) and count >= 0 for count in chunk.usage.as_dict().values())
        finally:
            await stream.close()
    except ModelRefusal:
        return


class _Streaming(OpenAIConnections):
    """Connections whose every answer is a given stream."""

    def __init__(self, data: bytes) -> None:
        super().__init__("key")
        head = {"content-type": "text/event-stream"}
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=data, headers=head))
        self._http = httpx2.AsyncClient(transport=transport)


_LOOPS: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    if not _LOOPS:
        _LOOPS.append(asyncio.new_event_loop())
    return _LOOPS[0]


def _stream(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"


def _chunk(**choice: Any) -> dict[str, Any]:
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


_USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}}


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


@dataclass(frozen=True, slots=True)
class Target:
    """A target, valid examples to begin with, and words that mutations are made of."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[str, ...] = ()


TARGETS = {
    "amqp-values": Target(
        amqp_values,
        tuple(
            bytes.fromhex(text)
            for text in (
                "40 41 42",
                "c0 04 02 52 01 40",
                "c1 05 02 a3 01 6b 41",
                "e0 06 02 a3 01 61 01 62",
                "e0 05 01 c0 02 01 40",
                "e0 07 01 00 a3 01 78 50 07",
                "00 53 24 45",
                "d1 00 00 00 06 00 00 00 02 40 41",
                "f0 00 00 00 07 00 00 00 02 50 01 02",
                "98 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff",
            )
        ),
    ),
    "amqp-frames": Target(
        amqp_frames,
        (
            b"AMQP\0\1\0\0" + bytes.fromhex("00 00 00 0c 02 00 00 00 00 53 18 45"),
            b"AMQP\3\1\0\0" + bytes.fromhex("00 00 00 08 02 00 00 00"),
            b"AMQP\0\1\0\0" + bytes.fromhex("00 00 00 17 02 00 00 01 00 53 12 c0 0a 03 a1 01 6e 43 42 50 00 50 00"),
        ),
    ),
    "amqp-messages": Target(
        amqp_messages,
        (
            bytes.fromhex("00 53 75 a0 02 68 69"),
            bytes.fromhex("00 53 70 c0 07 03 41 50 04 52 64 40 00 53 73 c0 07 01 a1 04 6d 73 67 31 00 53 75 a0 01 78"),
            bytes.fromhex("00 53 74 c1 07 02 a1 01 6b a1 01 76 00 53 75 a0 01 78"),
        ),
    ),
    "cosmos-queries": Target(
        cosmos_queries,
        (
            b"SELECT * FROM c",
            b"SELECT TOP 2 c.id, c.n + 1 AS m FROM c WHERE c.n > @p AND IS_DEFINED(c.s) ORDER BY c.n DESC",
            b"SELECT VALUE COUNT(1) FROM c GROUP BY c.s",
            b"SELECT DISTINCT VALUE x FROM c JOIN x IN c.a WHERE x LIKE 'b%' OFFSET 0 LIMIT 5",
            b"SELECT VALUE {a: c.o.k ? 'y' : \"n\", b: [1, -2e3, null]} FROM c WHERE c.id IN ('a', 'b')",
            b"SELECT VALUE ARRAY(SELECT VALUE y FROM y IN c.a WHERE y != null) FROM c WHERE EXISTS(SELECT 1)",
            b"SELECT VALUE SUBSTRING(CONCAT(c.s, 'x'), 0, 3) FROM c WHERE c.n BETWEEN 1 AND 2 AND NOT c['o'].k ?? true",
            b"SELECT VALUE RegexMatch(c.s, '^t.*[a-z]+$', 'i') FROM c",
            b"SELECT SUM(c.n) AS s, MIN(c.n) AS low, AVG(c.n) AS mean FROM c",
        ),
        (
            "SELECT",
            "VALUE",
            "DISTINCT",
            "TOP",
            "FROM",
            "JOIN",
            "IN",
            "WHERE",
            "AND",
            "OR",
            "NOT",
            "BETWEEN",
            "LIKE",
            "ESCAPE",
            "GROUP",
            "BY",
            "ORDER",
            "ASC",
            "DESC",
            "OFFSET",
            "LIMIT",
            "EXISTS",
            "ARRAY",
            "ALL",
            "AS",
            "null",
            "true",
            "false",
            "undefined",
            "??",
            "||",
            "<<",
            ">>",
            ">>>",
            "!=",
            "<>",
            "@p",
            "c.",
            "COUNT(",
            "SUM(",
            "ARRAY_CONTAINS(",
            "StringToNumber(",
            "DateTimeAdd(",
            "REPLICATE(",
            "RegexMatch(",
            "VectorDistance(",
            "POWER(",
            "INDEX_OF(",
            "1e308",
            "\\u0041",
        ),
    ),
    "model-streams": Target(
        model_streams,
        (
            _stream(_chunk(index=0, delta={"role": "assistant", "content": "Hi"}, finish_reason=None)),
            _stream({"choices": [], "prompt_filter_results": []}, _chunk(index=0, delta={}, finish_reason="stop")),
            _stream({"choices": [], "usage": _USAGE}),
            b'event: error\ndata: {"error": {"code": "server_error", "message": "broken"}}\n\n',
            b": ping\r\ndata: {}\r\n\r\nid: 1\nretry: 5\n\n",
        ),
        (
            "data:",
            "event:",
            "id:",
            "retry:",
            "[DONE]",
            '"choices"',
            '"delta"',
            '"content"',
            '"finish_reason"',
            '"usage"',
            '"prompt_tokens"',
            '"completion_tokens_details"',
            '"reasoning_tokens"',
            '"error"',
            "null",
            "[]",
            "{}",
            "-1",
            "1e999",
            "\\ud800",
        ),
    ),
    "throttles": Target(
        throttles,
        (
            b"status: 429\nretry-after-ms: 1200\nretry-after: 2\n\nexceeded token rate limit",
            b"status: 503\nretry-after: 7\n\nhigh demand",
            b"x-ratelimit-reset-tokens: 1m12.5s\nx-ratelimit-remaining-tokens: 0\nx-ratelimit-limit-tokens: 500\n\nx",
            b"x-ratelimit-reset-requests: 250ms\nx-ratelimit-remaining-requests: 0\ncode: 429\n\nrequest too large",
        ),
        (
            "retry-after",
            "retry-after-ms",
            "x-ratelimit-reset-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-limit-tokens",
            "x-rate-limit-reset-requests",
            "1h2m3s",
            "1e308",
            "nan",
            "inf",
            "-1",
            "999999999999",
        ),
    ),
}
