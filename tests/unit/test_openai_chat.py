"""The adapter of chat deployments against a server that says exactly what a test wants it to say."""

import asyncio
import contextlib
import dataclasses
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from shared.adapters.openai_chat import OpenAIChat, OpenAIConnections
from shared.errors import Unavailable
from shared.ports import Chunk, ModelRefusal, ModelRequest
from shared.settings import Deployment, Tier
from shared.turns import Message, Usage

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nX-RateLimit-Remaining-Tokens: 5\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Service:
    """A deployment. `answer` writes one whole HTTP response."""

    answer: Answer
    connections: int = 0
    requests: list[tuple[str, dict[str, str], dict[str, object]]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.requests.append((head[0], headers, body))
                await self.answer(writer)
        self.left.set()
        writer.close()


def part(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def text(content: str, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode()


async def whole(writer: asyncio.StreamWriter) -> None:
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
    writer.write(HEAD + part(text("Hel")) + part(text("lo", "stop") + usage + b"data: [DONE]\n\n") + END)
    await writer.drain()


@contextlib.asynccontextmanager
async def deployed(answer: Answer) -> AsyncIterator[tuple[Service, OpenAIChat, Deployment]]:
    service = Service(answer)
    server = await asyncio.start_server(service, "127.0.0.1", 0)
    connections = OpenAIConnections("the-key")
    port = server.sockets[0].getsockname()[1]
    deployment = Deployment(
        name="chat-0",
        model="gpt-4o-mini",
        deployment="mini",
        endpoint=f"http://127.0.0.1:{port}/openai/v1",
        kind="chat",
        tier=Tier.STANDARD,
        region="here",
        tokens_per_minute=1000,
        requests_per_minute=10,
    )
    try:
        yield service, OpenAIChat(connections), deployment
    finally:
        await connections.close()
        server.close()
        await server.wait_closed()


REQUEST = ModelRequest("turn-1", [Message("system", "Be kind."), Message("user", "Hi")], 50, {"temperature": 0.5})


async def test_a_call_says_what_was_asked_and_gives_the_answer_and_the_headers() -> None:
    async with deployed(whole) as (service, chat, deployment):
        stream = await chat.open(deployment, REQUEST)
        chunks = [chunk async for chunk in stream]
        await stream.close()

    line, headers, body = service.requests[0]
    assert line == "POST /openai/v1/chat/completions HTTP/1.1"
    assert headers["authorization"] == "Bearer the-key"
    assert headers["x-ms-client-request-id"] == "turn-1"
    assert not [name for name in headers if name.startswith("x-stainless")]
    assert body == {
        "model": "mini",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
        "max_completion_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
    }
    assert stream.headers["x-ratelimit-remaining-tokens"] == "5"
    assert "".join(chunk.text for chunk in chunks) == "Hello"
    assert chunks[-1].finish_reason == "stop"
    assert chunks[-1].usage == Usage(3, 2)


async def encoded(writer: asyncio.StreamWriter) -> None:
    body = gzip.compress(text("Hello", "stop") + b"data: [DONE]\n\n")
    head = HEAD.replace(b"transfer-encoding", b"content-encoding: gzip\r\ntransfer-encoding")
    writer.write(head + part(body[:9]) + part(body[9:]) + END)
    await writer.drain()


async def test_an_answer_that_the_service_has_compressed_is_read() -> None:
    async with deployed(encoded) as (_service, chat, deployment):
        stream = await chat.open(deployment, REQUEST)
        chunks = [chunk async for chunk in stream]
        await stream.close()

    assert [(chunk.text, chunk.finish_reason) for chunk in chunks] == [("Hello", "stop")]


async def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with deployed(whole) as (proxy, chat, deployment):
        address = urlsplit(deployment.endpoint)
        monkeypatch.setenv("HTTP_PROXY", f"http://{address.netloc}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        away = dataclasses.replace(deployment, endpoint="http://model.invalid/openai/v1")
        stream = await chat.open(away, REQUEST)
        assert [chunk async for chunk in stream]
        await stream.close()

    assert proxy.requests[0][0].startswith("POST http://model.invalid/openai/v1/chat/completions ")


async def test_a_redirect_takes_neither_prompt_nor_key_to_another_place() -> None:
    async with deployed(whole) as (elsewhere, _chat, other):

        async def moved(writer: asyncio.StreamWriter) -> None:
            writer.write(
                b"HTTP/1.1 307 Temporary Redirect\r\nlocation: %s/chat/completions\r\ncontent-length: 0\r\n\r\n"
                % other.endpoint.encode()
            )
            await writer.drain()

        async with deployed(moved) as (_service, chat, deployment):
            with pytest.raises(ModelRefusal) as refused:
                await chat.open(deployment, REQUEST)

    assert refused.value.status == 307
    assert elsewhere.requests == []


async def test_one_connection_serves_one_answer_after_another() -> None:
    async with deployed(whole) as (service, chat, deployment):
        for _ in range(3):
            stream = await chat.open(deployment, REQUEST)
            assert [chunk async for chunk in stream]
            await stream.close()

        assert len(service.requests) == 3
        assert service.connections == 1


async def test_each_call_asks_for_a_token_when_the_identity_gives_them() -> None:
    tokens = iter(["first", "second"])

    async def token() -> str:
        return next(tokens)

    async with deployed(whole) as (service, _chat, deployment):
        connections = OpenAIConnections(token)
        for _ in range(2):
            stream = await OpenAIChat(connections).open(deployment, REQUEST)
            assert [chunk async for chunk in stream]
            await stream.close()
        await connections.close()

    assert [headers["authorization"] for _, headers, _ in service.requests] == ["Bearer first", "Bearer second"]


async def test_an_identity_that_gives_no_token_is_a_refusal_without_status() -> None:
    async def token() -> str:
        raise Unavailable("The identity gives no token for the models.")

    async with deployed(whole) as (service, _chat, deployment):
        connections = OpenAIConnections(token)
        with pytest.raises(ModelRefusal, match="no token") as caught:
            await OpenAIChat(connections).open(deployment, REQUEST)
        await connections.close()

    assert caught.value.status == 0
    assert service.requests == []


async def test_a_connection_whose_stream_does_not_end_is_given_up() -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + part(text("Hello", "stop") + b"data: [DONE]\n\n"))
        await writer.drain()

    async with deployed(endless) as (service, chat, deployment):
        stream = await chat.open(deployment, REQUEST)
        assert [chunk async for chunk in stream] == [Chunk("Hello", "stop")]
        await stream.close()
        await service.left.wait()


async def test_closing_a_stream_before_its_end_stops_the_generation() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + part(text("Hel")))
        await writer.drain()

    async with deployed(slow) as (service, chat, deployment):
        stream = await chat.open(deployment, REQUEST)
        assert await anext(aiter(stream)) == Chunk("Hel")
        await stream.close()
        await service.left.wait()


async def test_a_stream_that_is_cut_gives_its_text_and_then_a_refusal() -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + part(text("Hel")))
        await writer.drain()
        writer.close()

    async with deployed(cut) as (_, chat, deployment):
        stream = await chat.open(deployment, REQUEST)
        chunks = aiter(stream)
        assert await anext(chunks) == Chunk("Hel")
        with pytest.raises(ModelRefusal) as refusal:
            await anext(chunks)
        await stream.close()

    assert refusal.value.status == 0


@pytest.mark.parametrize(
    ("status", "code"), [(429, "RateLimitReached"), (400, "content_filter"), (401, "Unauthorized"), (503, "busy")]
)
async def test_a_refused_call_keeps_status_code_and_headers(status: int, code: str) -> None:
    async def refuse(writer: asyncio.StreamWriter) -> None:
        body = json.dumps({"error": {"code": code, "message": "No."}}).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nRetry-After-MS: 250\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    async with deployed(refuse) as (service, chat, deployment):
        with pytest.raises(ModelRefusal) as refusal:
            await chat.open(deployment, REQUEST)

        assert len(service.requests) == 1

    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert refusal.value.headers["retry-after-ms"] == "250"


async def test_a_deployment_that_hangs_up_is_a_refusal_without_status() -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with deployed(hang_up) as (service, chat, deployment):
        with pytest.raises(ModelRefusal) as refusal:
            await chat.open(deployment, REQUEST)

        assert len(service.requests) == 1

    assert refusal.value.status == 0


async def test_a_deployment_that_is_not_there_is_a_refusal_without_status() -> None:
    async with deployed(whole) as (_, _chat, deployment):
        pass
    connections = OpenAIConnections("the-key")
    try:
        with pytest.raises(ModelRefusal) as refusal:
            await OpenAIChat(connections).open(deployment, REQUEST)
    finally:
        await connections.close()

    assert refusal.value.status == 0
