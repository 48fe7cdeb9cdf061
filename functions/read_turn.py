"""GET /api/chat/{turn}: a turn as it stands."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import TURN_HEADER, guarded, json_reply, turn_id_of
from shared.api.chat import describe
from shared.timelines.timeline import server_timing
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("read_turn")
    @blueprint.route(route="chat/{turn}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def read_turn(req: Request) -> Response:
        return await guarded(_read(req, services))

    return blueprint


async def _read(request: Request, services: Services) -> Response:
    chat = (await services.open()).chat
    principal = services.door.enter(request.headers, request.query_params)
    turn = await chat.read(turn_id_of(request), principal)
    headers = {TURN_HEADER: turn.turn_id, "Server-Timing": server_timing(turn.timeline)}
    return json_reply(describe(turn), headers=headers)
