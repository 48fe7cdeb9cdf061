"""POST /api/chat: take a question; stream the answer, wait for it, or answer 202."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import (
    EVENT_STREAM,
    TURN_HEADER,
    body_of,
    cache_headers,
    guarded,
    idempotency_key_of,
    json_reply,
    stream_reply,
)
from shared.answering.accept_turn import Accepted
from shared.api.chat import Chat, describe
from shared.api.models import ChatRequest, validated
from shared.errors import from_dict
from shared.timelines import stages
from shared.timelines.timeline import server_timing
from shared.turns import State, Turn
from shared.wiring import Services

WAIT_SECONDS = 200.0


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("accept_turn")
    @blueprint.route(route="chat", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def accept_turn(req: Request) -> Response:
        return await guarded(_accept(req, services))

    return blueprint


async def _accept(request: Request, services: Services) -> Response:
    timeline = services.arrivals.timeline(request.headers)
    services.warm_up.for_callers()
    chat = (await services.open()).chat
    services.arrivals.started(timeline)
    principal = services.door.enter(request.headers, request.query_params)
    content = await body_of(request)
    timeline.mark(stages.RECEIVE)
    body = validated(ChatRequest, content)
    streams = EVENT_STREAM in request.headers.get("accept", "")
    waits = streams or "respond-async" not in request.headers.get("prefer", "").lower()
    accepted = await chat.ask(
        body,
        principal,
        waits=waits,
        idempotency_key=idempotency_key_of(request),
        timeline=timeline,
        cache_control=request.headers.get("cache-control", ""),
    )
    if streams:
        return stream_reply(accepted, chat.events(accepted))
    return await _reply(chat, accepted, waits=waits)


async def _reply(chat: Chat, accepted: Accepted, *, waits: bool) -> Response:
    turn = await chat.wait(accepted, WAIT_SECONDS) if waits else accepted.turn
    if turn.state is State.SUCCEEDED:
        return json_reply(describe(turn), headers={**_headers(turn), **cache_headers(accepted, turn)})
    if turn.state.terminal:
        raise from_dict(turn.error or {})
    headers = {"Location": f"/api/chat/{turn.turn_id}", "Retry-After": "1", **_headers(turn), **cache_headers(accepted)}
    return json_reply(describe(turn, accepted.waiting), status=202, headers=headers)


def _headers(turn: Turn) -> dict[str, str]:
    return {TURN_HEADER: turn.turn_id, "Server-Timing": server_timing(turn.timeline)}
