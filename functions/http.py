"""What all HTTP triggers share: bounded bodies, one error shape, headers that every response carries."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from azurefunctions.extensions.http.fastapi import JSONResponse, Request, Response, StreamingResponse

from shared.answering.accept_turn import Accepted
from shared.api.models import MAX_BODY_BYTES
from shared.caching.wish import cache_status
from shared.errors import EvaluationNotFound, InvalidRequest, RequestTooLarge, SpillwayError, TurnNotFound, Unauthorized
from shared.telemetry import log
from shared.turns import State, Turn

ErrorBody = Callable[[SpillwayError], dict[str, Any]]
TURN_HEADER = "x-spillway-turn-id"
CACHE_HEADER = "Cache-Status"
SHELL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}
"""What every response carries, pages too."""
SAFE = {
    **SHELL,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
EVENT_STREAM = "text/event-stream"
STREAM_HEADERS = {**SAFE, "Cache-Control": "no-cache, no-store", "X-Accel-Buffering": "no"}
TURN_ID_LENGTH = 32


def own_shape(error: SpillwayError) -> dict[str, Any]:
    """Spillway's error shape."""
    return {"error": error.as_dict()}


async def guarded(work: Awaitable[Response], *, shape: ErrorBody = own_shape) -> Response:
    """The response of a trigger, or its error in the right shape. Nothing reaches the host as an exception."""
    try:
        return await work
    except SpillwayError as error:
        return error_reply(error, shape)
    except Exception as fault:  # noqa: BLE001  the last resort: the caller gets the one shape, operators the traceback
        log.failure("fail_request", fault)
        return error_reply(SpillwayError(), shape)


def error_reply(error: SpillwayError, shape: ErrorBody = own_shape) -> Response:
    """An error as a response, with Retry-After when trying again makes sense."""
    headers: dict[str, str] = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
        headers["retry-after-ms"] = str(round(error.retry_after_seconds * 1000))
    if error.turn_id is not None:
        headers[TURN_HEADER] = error.turn_id
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return json_reply(shape(error), status=error.status, headers=headers)


def json_reply(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response that no cache keeps."""
    return JSONResponse(body, status_code=status, headers={**SAFE, **(headers or {})})


def stream_reply(accepted: Accepted, events: AsyncIterator[bytes]) -> Response:
    """A server-sent event stream of a turn."""
    headers = {TURN_HEADER: accepted.turn.turn_id, "Server-Timing": accepted.timeline.server_timing()}
    headers |= cache_headers(accepted)
    return StreamingResponse(events, media_type=EVENT_STREAM, headers={**STREAM_HEADERS, **headers})


def cache_headers(accepted: Accepted, turn: Turn | None = None) -> dict[str, str]:
    """Where the answer comes from, when the route has opted in; `turn` is the turn once it is over."""
    if turn is not None and turn.state is State.SUCCEEDED:
        status = cache_status(turn, None if turn.cached is None else turn.cached["kind"])
    else:
        status = accepted.cache_status
    return {} if status is None else {CACHE_HEADER: status}


async def body_of(request: Request) -> bytes:
    """The request body.

    Raises:
        RequestTooLarge: More than a million bytes; reading stops there.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise RequestTooLarge(f"The request body is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def turn_id_of(request: Request) -> str:
    """The turn id in the address; one that cannot exist is not looked up."""
    turn_id = str(request.path_params["turn"])
    if len(turn_id) != TURN_ID_LENGTH or not turn_id.isalnum():
        raise TurnNotFound
    return turn_id


def evaluation_id_of(request: Request) -> str:
    """The id of an evaluation in the address; one that cannot exist is not looked up."""
    run_id = str(request.path_params["run"])
    if len(run_id) != TURN_ID_LENGTH or not run_id.isalnum():
        raise EvaluationNotFound
    return run_id


def idempotency_key_of(request: Request) -> str | None:
    """The Idempotency-Key header, at most 200 characters."""
    key: str | None = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= 200:
        raise InvalidRequest("Idempotency-Key: must have 1 to 200 characters")
    return key


def whole_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number from the query.

    Raises:
        InvalidRequest: Not a number, or out of range.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 19) or not least <= int(text) <= most:
        raise InvalidRequest(f"{name}: must be a whole number from {least} to {most}")
    return int(text)
