"""The HTTP surface: from a request to a function's answer, with as little between as possible."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from local.host.app import invocation
from local.host.app.functions import Function
from local.host.app.invocation import Trace
from local.host.web.admin import PREFIX, Admin
from local.host.web.answers import send_empty, send_plain
from local.host.web.keys import Keys, presented_key
from local.host.web.routes import RouteTable

BODY_LIMIT_BYTES = 100 * 1024 * 1024
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Exchange:
    """One request that has found its function, and the way back.

    Attributes:
        scope: The ASGI scope.
        receive: Gives the body, no more of it than the platform allows.
        send: Takes the answer.
        route_values: Values of the route's parameters.
        trace: The caller's W3C headers.
        invocation_id: A UUID.
        started: Whether the answer's head has been sent.
    """

    scope: Scope
    receive: Receive
    send: Send
    route_values: dict[str, str]
    trace: Trace
    invocation_id: str
    started: bool = False


class Adapter(Protocol):
    """Turns an exchange into the call of a function and the function's result into an answer."""

    async def answer(self, function: Function, exchange: Exchange) -> None:
        """Calls the function and sends what it answers.

        Raises:
            Exception: Whatever the function raises.
        """


@dataclass(frozen=True, slots=True)
class HttpApp:
    """The ASGI application of a function app.

    Attributes:
        table: The routes.
        adapter: How functions take requests: FastAPI or classic.
        keys: None lets everybody in.
        admin: Answers below /admin/, which no function route can reach.
    """

    table: RouteTable
    adapter: Adapter
    keys: Keys | None
    admin: Admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        headers = dict(scope["headers"])
        if scope["path"].startswith(PREFIX):
            await self.admin.answer(scope, headers, send)
            return
        match = self.table.find(scope["method"], scope["path"])
        if match is None:
            await send_empty(send, 404)
            return
        if self.keys is not None and not self.keys.allow(match.route, presented_key(headers, scope["query_string"])):
            await send_empty(send, 401)
            return
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > BODY_LIMIT_BYTES:
            await send_empty(send, 413)
            return
        exchange = _exchange(scope, receive, send, match.values, headers)
        await self._invoke(match.route.function, exchange)

    async def _invoke(self, function: Function, exchange: Exchange) -> None:
        started = time.perf_counter()
        try:
            await self.adapter.answer(function, exchange)
        except Exception as error:  # noqa: BLE001  any error of the app is a failed invocation, not one of the host
            invocation.log_failure(function, exchange.invocation_id, started, error)
            if not exchange.started:
                await send_plain(exchange.send, 500, "Internal Server Error")
            # Else the server sees an unfinished answer and cuts the connection, which is all that can be said.
        else:
            invocation.log_success(function, exchange.invocation_id, started)


def _exchange(
    scope: Scope, receive: Receive, send: Send, values: dict[str, str], headers: Mapping[bytes, bytes]
) -> Exchange:
    invocation_id = invocation.new_id()
    # The worker's requests carry it too.
    scope["headers"].append((b"x-ms-invocation-id", invocation_id.encode()))
    if b"content-length" not in headers and b"transfer-encoding" in headers:
        receive = bounded(receive)
    trace = Trace(headers.get(b"traceparent", b"").decode("latin-1"), headers.get(b"tracestate", b"").decode("latin-1"))
    exchange = Exchange(scope, receive, send, values, trace, invocation_id)

    async def watched(message: Message) -> None:
        exchange.started = True
        await send(message)

    exchange.send = watched
    return exchange


def bounded(receive: Receive) -> Receive:
    """Refuses a chunked body beyond the platform's limit."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT_BYTES:
            raise HTTPException(413)
        return message

    return counted
