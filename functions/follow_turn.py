"""GET /api/chat/{turn}/stream: follow a turn from any instance, from where the caller stopped."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import guarded, stream_reply, turn_id_of
from shared.errors import InvalidRequest
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("follow_turn")
    @blueprint.route(route="chat/{turn}/stream", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def follow_turn(req: Request) -> Response:
        return await guarded(_follow(req, services))

    return blueprint


async def _follow(request: Request, services: Services) -> Response:
    chat = (await services.open()).chat
    principal = services.door.enter(request.headers, request.query_params)
    after = _last_event_id(request)
    accepted = await chat.resume(turn_id_of(request), principal)
    return stream_reply(accepted, chat.events(accepted, after=after))


def _last_event_id(request: Request) -> int:
    given = [request.headers.get("last-event-id"), request.query_params.get("last_event_id")]
    texts = [text for text in given if text]
    if not all(text.isascii() and text.isdecimal() and len(text) <= 16 for text in texts):
        raise InvalidRequest("Last-Event-ID: must be the id of an event of this turn")
    return int(texts[0]) if texts else 0
