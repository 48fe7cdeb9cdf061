"""DELETE /api/chat/{turn}: cancel a turn."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import TURN_HEADER, guarded, json_reply, turn_id_of
from shared.api.chat import describe
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("cancel_turn")
    @blueprint.route(route="chat/{turn}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
    async def cancel_turn(req: Request) -> Response:
        return await guarded(_cancel(req, services))

    return blueprint


async def _cancel(request: Request, services: Services) -> Response:
    chat = (await services.open()).chat
    principal = services.door.enter(request.headers, request.query_params)
    turn = await chat.cancel(turn_id_of(request), principal)
    return json_reply(describe(turn), headers={TURN_HEADER: turn.turn_id})
