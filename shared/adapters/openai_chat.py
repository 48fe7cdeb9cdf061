"""Chat deployments through the official OpenAI SDK; Spillway does the retries itself, so the SDK does none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
import httpx2
import openai
from openai import AsyncOpenAI, Omit, omit

from shared.adapters.openai_chunks import ChunkReader
from shared.adapters.openai_events import EventStream
from shared.adapters.openai_http import ModelHttp, body_parts
from shared.errors import Unavailable
from shared.events import compact
from shared.ports import Chunk, ModelRefusal, ModelRequest
from shared.settings import Deployment

ApiKey = str | Callable[[], Awaitable[str]]
"""A key, or what gives a fresh token and raises Unavailable when there is none."""
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 60.0
MOST_CONNECTIONS = 1000
KEPT_SECONDS = 60.0
"""How long an idle connection is kept: opening one costs the next caller two round trips."""
DRAIN_SECONDS = 0.1
_STAINLESS = "lang package-version os arch runtime runtime-version async retry-count read-timeout"
UNSAID: Mapping[str, Omit] = {f"x-stainless-{what}": omit for what in _STAINLESS.split()}
"""What the SDK would tell of this machine in nine headers a call; its `user-agent` says which version it is."""
FAULTS = (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError, TimeoutError)


class OpenAIConnections:
    """One client an endpoint, so that connections stay warm; all share one pool of sockets."""

    def __init__(self, api_key: ApiKey) -> None:
        """Takes the key, or the async function that gives a fresh token."""
        self._api_key = api_key
        self._clients: dict[str, AsyncOpenAI] = {}
        self._http: httpx2.AsyncClient | None = None

    def client(self, endpoint: str) -> AsyncOpenAI:
        """The client of an endpoint."""
        client = self._clients.get(endpoint)
        if client is None:
            client = AsyncOpenAI(
                base_url=endpoint, api_key=self._api_key, max_retries=0, http_client=self._shared_http()
            )
            self._clients[endpoint] = client
        return client

    async def sign_in(self) -> None:
        """Asks for a token as a call would, see `ApiKey`; with a key there is nothing to do."""
        if not isinstance(self._api_key, str):
            await self._api_key()

    def _shared_http(self) -> httpx2.AsyncClient:
        if self._http is None:
            # Less than half the CPU of the SDK's other transport, and what has come is given in one piece.
            self._http = ModelHttp(
                timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
                limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=KEPT_SECONDS),
            )
        return self._http

    async def close(self) -> None:
        """Closes all connections."""
        if self._http is not None:
            await self._http.aclose()


class OpenAIChat:
    """Chat completions, streamed."""

    def __init__(self, connections: OpenAIConnections) -> None:
        """Takes the connections."""
        self._connections = connections

    async def open(self, deployment: Deployment, request: ModelRequest) -> "OpenAIStream":
        """See `shared.ports.ChatModel`."""
        client = self._connections.client(deployment.endpoint)
        body = {
            "model": deployment.deployment,
            "messages": [message.as_dict() for message in request.messages],
            "max_completion_tokens": request.max_output_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            **request.parameters,
        }
        try:
            # The typed method walks the whole prompt for names to translate; there are none. An address that is whole
            # is not put together again for every call.
            response = await client.post(
                f"{client.base_url}chat/completions",
                cast_to=httpx2.Response,
                content=compact(body),
                options={
                    "headers": {
                        "Content-Type": "application/json",
                        "x-ms-client-request-id": request.turn_id,
                        **UNSAID,
                    }
                },
                stream=True,
            )
        except openai.OpenAIError as fault:
            raise refusal(fault) from fault
        except Unavailable as fault:
            # No token, so nothing was asked.
            raise ModelRefusal(0, None, str(fault), {}) from fault
        return OpenAIStream(response)


class OpenAIStream:
    """An open answer, read from the SDK's response: its models of chunks would cost more than all else of a token."""

    def __init__(self, response: httpx2.Response) -> None:
        """Takes the SDK's response, its body not read."""
        self._response = response
        self.headers: Mapping[str, str] = _lower(response.headers)

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        """See `shared.ports.ModelStream`."""
        parts, events, reader = body_parts(self._response), EventStream(), ChunkReader()
        try:
            async for part in parts:
                if (chunk := reader.chunk(events.feed(part))) is not None:
                    yield chunk
                if reader.done or reader.refusal is not None:
                    break
            else:
                if (chunk := reader.chunk(events.end())) is not None:
                    yield chunk
        except (*FAULTS, ValueError) as fault:
            raise refusal(fault) from fault
        if reader.refusal is not None:
            raise reader.refusal
        await _drain(parts)

    async def close(self) -> None:
        """Closes the connection, which stops the generation."""
        await self._response.aclose()


async def _drain(parts: AsyncIterator[bytes]) -> None:
    """Reads to the end of a stream that has said it is done: only then can its connection be used again."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _part in parts:
                pass
    except FAULTS:
        # The answer is complete; the connection is not used again.
        return


def refusal(fault: Exception) -> ModelRefusal:
    """A fault of the SDK or the connection, in the words of the wire."""
    if isinstance(fault, openai.APIStatusError):
        return ModelRefusal(fault.status_code, fault.code, fault.message, _lower(fault.response.headers))
    if isinstance(fault, openai.APIError):
        return ModelRefusal(0, fault.code, fault.message, {})
    return ModelRefusal(0, None, type(fault).__name__, {})


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
