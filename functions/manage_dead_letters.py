"""GET /api/dead-letters and POST /api/dead-letters/replay, for operators."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import body_of, guarded, json_reply, whole_number
from shared.api.models import ReplayRequest, validated
from shared.errors import InvalidRequest
from shared.turns import Lane
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("list_dead_letters")
    @blueprint.route(route="dead-letters", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def list_dead_letters(req: Request) -> Response:
        return await guarded(_list(req, services))

    @blueprint.function_name("replay_dead_letters")
    @blueprint.route(route="dead-letters/replay", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def replay_dead_letters(req: Request) -> Response:
        return await guarded(_replay(req, services))

    return blueprint


async def _list(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    lane = request.query_params.get("lane", Lane.INTERACTIVE.value)
    if lane not in set(Lane):
        raise InvalidRequest(f"lane: choose one of {', '.join(Lane)}")
    limit = whole_number(request, "limit", default=100, least=1, most=250)
    after = whole_number(request, "after", default=0, least=0, most=2**62)
    letters = await (await services.open()).dead_letters.page(Lane(lane), limit=limit, after=after)
    return json_reply({"lane": lane, "dead_letters": letters})


async def _replay(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    body = validated(ReplayRequest, await body_of(request))
    replayed = await (await services.open()).dead_letters.replay(
        Lane(body.lane), sequence_numbers=body.sequence_numbers, reason=body.reason
    )
    return json_reply({"lane": body.lane, "replayed": replayed})
