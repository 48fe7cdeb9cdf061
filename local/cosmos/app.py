"""The HTTP edge: reads requests within bounds, finds who answers, and puts the protocol's headers on every reply."""

import logging
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

import orjson

from local.cosmos.errors import CosmosError, bad_request
from local.cosmos.handlers.control import control
from local.cosmos.request import Reply, Request
from local.cosmos.routes import find_route
from local.cosmos.service import Service

BODY_LIMIT_BYTES: Final = 2 * 1024 * 1024 + 512 * 1024
_DRAINED_BYTES: Final = 16 * 1024 * 1024
_CONTROL: Final = "_sim"
_WITHOUT_BODY: Final = frozenset({204, 304})

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)


class App:
    """The ASGI application of one account."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not spoken here")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        activity = headers.get("x-ms-activity-id") or str(uuid.uuid4())
        try:
            request = await _read(scope, headers, receive)
            reply = await self._answer(request)
        except CosmosError as error:
            reply = _error_reply(error)
        await _send(send, reply, activity, self._service.store.last_change)

    async def _answer(self, request: Request) -> Reply:
        if request.segments[:1] == [_CONTROL]:
            return control(self._service, request)
        operation, container = "refused", None
        try:
            self._service.authorizer.check(request)
            route = find_route(request)
            operation, container = route.operation, request.segments[3] if len(request.segments) > 3 else None
            await self._service.faults.meet(operation, container)
            reply = await route.handler(self._service, request)
        except CosmosError as error:
            reply = _error_reply(error)
        except sqlite3.OperationalError as error:
            logger.error("%s %s: the data cannot be read or written: %s", request.method, operation, error)  # noqa: TRY400  no bug
            message = f"The data cannot be read or written now: {error}. Is the disk full?"
            reply = _error_reply(CosmosError(503, message))
        except Exception:
            logger.exception("%s %s failed", request.method, operation)
            reply = _error_reply(CosmosError(500, "The server made a mistake; its log says more."))
        self._service.usage.count(operation, container, reply.status, reply.charge)
        return reply


async def _read(scope: Scope, headers: dict[str, str], receive: Receive) -> Request:
    raw_path: bytes = scope["raw_path"].split(b"?", 1)[0]
    try:
        # An id may hold an encoded slash only after the path was split; empty parts come from slashes at the ends.
        segments = [unquote(part, errors="strict") for part in raw_path.decode("ascii").split("/") if part]
    except UnicodeDecodeError as error:
        raise bad_request("The path is not URL-encoded UTF-8.") from error
    body = await _read_body(receive)
    base_url = f"{scope['scheme']}://{headers.get('host', 'localhost')}/"
    return Request(scope["method"], segments, headers, body, base_url)


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        parts, size = [message.get("body", b"")], len(message.get("body", b""))
    else:
        parts, size = [], 0
        while True:
            size += len(message.get("body", b""))
            if size <= BODY_LIMIT_BYTES:
                parts.append(message.get("body", b""))
            if not message.get("more_body") or size > _DRAINED_BYTES:
                break
            message = await receive()
    if size > BODY_LIMIT_BYTES:
        raise CosmosError(413, f"A request can have at most {BODY_LIMIT_BYTES} bytes.", headers={"connection": "close"})
    return b"".join(parts)


def _error_reply(error: CosmosError) -> Reply:
    headers = dict(error.headers)
    if error.substatus:
        headers["x-ms-substatus"] = str(error.substatus)
    body = {"code": error.code, "message": error.message}
    if error.additional_info is not None:
        body["additionalErrorInfo"] = error.additional_info
    return Reply(error.status, orjson.dumps(body), headers)


async def _send(send: Send, reply: Reply, activity: str, change: int) -> None:
    body = b"" if reply.status in _WITHOUT_BODY else reply.body
    headers = [
        (b"content-type", b"application/json"),
        (b"x-ms-request-charge", f"{reply.charge:.2f}".encode()),
        (b"x-ms-activity-id", activity.encode("latin-1")),
        (b"x-ms-session-token", f"{reply.range_id}:-1#{change}".encode()),
        (b"lsn", str(change).encode()),
        (b"x-ms-version", b"2020-07-15"),
        (b"x-ms-gatewayversion", b"version=2.14.0"),
        *((name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()),
    ]
    if reply.status not in _WITHOUT_BODY:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
