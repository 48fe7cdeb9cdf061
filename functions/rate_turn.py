"""POST /api/chat/{turn}/feedback: the caller's opinion of an answer."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import TURN_HEADER, body_of, guarded, json_reply, turn_id_of
from shared.api.models import FeedbackRequest, validated
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("rate_turn")
    @blueprint.route(route="chat/{turn}/feedback", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def rate_turn(req: Request) -> Response:
        return await guarded(_rate(req, services))

    return blueprint


async def _rate(request: Request, services: Services) -> Response:
    chat = (await services.open()).chat
    principal = services.door.enter(request.headers, request.query_params)
    feedback = validated(FeedbackRequest, await body_of(request))
    turn_id = turn_id_of(request)
    await chat.rate(turn_id, principal, feedback.rating, feedback.comment)
    return json_reply({"turn_id": turn_id, "rating": feedback.rating}, headers={TURN_HEADER: turn_id})
