"""The HTTP client under the OpenAI SDK, with what a streamed call of a model needs and nothing else.

The SDK's own client merges its defaults into every request, keeps cookies, follows redirects and runs a flow of
authentication around each call. A model endpoint uses none of that, a redirect would carry prompt and key to another
host, and together it takes about an eighth of a millisecond of every first token (docs/cost-per-turn.md).
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
from openai import DefaultAioHttpClient


class ModelHttp(DefaultAioHttpClient):
    """Sends streamed requests as they are; all others go the SDK's way."""

    def __init__(self, **options: Any) -> None:
        """Takes the options of `httpx2.AsyncClient`; redirects are never followed."""
        super().__init__(**options, follow_redirects=False)
        self._addresses: dict[str, httpx2.URL] = {}

    def build_request(self, method: str, url: httpx2.URL | str, **options: Any) -> httpx2.Request:
        """A request of what the SDK gives: it has put all headers together already."""
        content, headers, timeout = (options.pop(name, None) for name in ("content", "headers", "timeout"))
        if content is None or not isinstance(timeout, httpx2.Timeout) or any(options.values()):
            return super().build_request(method, url, content=content, headers=headers, timeout=timeout, **options)
        extensions = {"timeout": timeout.as_dict()}
        return httpx2.Request(method, self._address(str(url)), headers=headers, content=content, extensions=extensions)

    def _address(self, url: str) -> httpx2.URL:
        """An address, taken apart once: there are as many as deployments."""
        if url not in self._addresses:
            self._addresses[url] = httpx2.URL(url)
        return self._addresses[url]

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Sends a request; a streamed answer comes straight from the sockets."""
        if not stream:
            return await super().send(request, stream=False, **options)
        # The transport, or the one of the proxy that the environment names for the address.
        return await self._transport_for_url(request.url).handle_async_request(request)


def body_parts(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body as it comes, decoded when the service has encoded it."""
    if "content-encoding" in response.headers or not isinstance(response.stream, httpx2.AsyncByteStream):
        return response.aiter_bytes()
    return aiter(response.stream)
