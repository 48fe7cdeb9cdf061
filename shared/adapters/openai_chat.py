"""Chat deployments through the official OpenAI SDK; Spillway does the retries itself, so the SDK does none."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from shared.ports import Chunk, ModelRefusal, ModelRequest
from shared.settings import Deployment
from shared.turns import Usage

ApiKey = str | Callable[[], Awaitable[str]]
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 60.0
MOST_CONNECTIONS = 1000


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

    def _shared_http(self) -> httpx2.AsyncClient:
        if self._http is None:
            self._http = httpx2.AsyncClient(
                timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
                limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=200),
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
        messages: list[Any] = [message.as_dict() for message in request.messages]
        try:
            raw = await client.chat.completions.with_raw_response.create(
                model=deployment.deployment,
                messages=messages,
                max_completion_tokens=request.max_output_tokens,
                stream=True,
                stream_options={"include_usage": True},
                extra_headers={"x-ms-client-request-id": request.turn_id},
                extra_body=dict(request.parameters) or None,
            )
        except openai.OpenAIError as fault:
            raise _refusal(fault) from fault
        return OpenAIStream(raw.parse(), _lower(raw.headers))


class OpenAIStream:
    """An open answer."""

    def __init__(self, stream: AsyncStream[ChatCompletionChunk], headers: Mapping[str, str]) -> None:
        """Takes the SDK's stream and the response headers, names in lower case."""
        self._stream, self.headers = stream, headers

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        """See `shared.ports.ModelStream`."""
        try:
            async for event in self._stream:
                # The first chunk of the service has no choices, only its filter's view of the prompt.
                chunk = _chunk(event)
                if chunk.text or chunk.finish_reason or chunk.usage:
                    yield chunk
        except (openai.OpenAIError, httpx2.HTTPError) as fault:
            raise _refusal(fault) from fault
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as fault:
            # The SDK does not check what it parses. Whatever stands in front of a model may send something else.
            raise ModelRefusal(
                502, "malformed_answer", f"The answer cannot be read: {type(fault).__name__}", {}
            ) from fault

    async def close(self) -> None:
        """Closes the connection, which stops the generation."""
        await self._stream.close()


def _chunk(event: ChatCompletionChunk) -> Chunk:
    choice: Any = event.choices[0] if event.choices else None
    text = (choice.delta.content or "") if choice is not None and choice.delta is not None else ""
    finish_reason = choice.finish_reason if choice is not None else None
    if not isinstance(text, str) or not isinstance(finish_reason, str | None):
        raise TypeError("text and finish reason are strings")
    return Chunk(text, finish_reason, _usage(event.usage))


def _usage(usage: Any) -> Usage | None:
    if usage is None:
        return None
    prompt, output = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        input_tokens=_count(usage.prompt_tokens),
        output_tokens=_count(usage.completion_tokens),
        cached_tokens=_count((prompt.cached_tokens or 0) if prompt else 0),
        reasoning_tokens=_count((output.reasoning_tokens or 0) if output else 0),
    )


def _count(tokens: Any) -> int:
    if not isinstance(tokens, int) or tokens < 0:
        raise TypeError("a number of tokens is a whole number")
    return tokens


def _refusal(fault: Exception) -> ModelRefusal:
    if isinstance(fault, openai.APIStatusError):
        return ModelRefusal(fault.status_code, fault.code, fault.message, _lower(fault.response.headers))
    if isinstance(fault, openai.APIError):
        return ModelRefusal(0, fault.code, fault.message, {})
    return ModelRefusal(0, None, type(fault).__name__, {})


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
