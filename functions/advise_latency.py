"""GET /api/latency/advice, for operators: what would be saved, from the newest answered turns of all tenants."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import SAFE, guarded, json_reply, whole_number
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("advise_latency")
    @blueprint.route(route="latency/advice", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def advise_latency(req: Request) -> Response:
        return await guarded(_advise(req, services))

    return blueprint


async def _advise(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    hours = whole_number(request, "hours", default=24, least=1, most=24 * 31)
    limit = whole_number(request, "turns", default=500, least=10, most=2000)
    needed = whole_number(request, "needed_tokens", default=0, least=0, most=100_000)
    advice = (await services.open()).latency_advice
    report = await advice.report(hours=hours, limit=limit, needed_tokens=needed or None)
    if "text/markdown" in request.headers.get("accept", ""):
        return Response(advice.words(report), media_type="text/markdown; charset=utf-8", headers=SAFE)
    return json_reply(report)
