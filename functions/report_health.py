"""GET /api/health/live and /ready: is the process there, and can it do its work."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import guarded, json_reply
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("report_live")
    @blueprint.route(route="health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def report_live(req: Request) -> Response:  # noqa: ARG001  the binding asks for it
        return json_reply({"status": "alive"})

    @blueprint.function_name("report_ready")
    @blueprint.route(route="health/ready", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def report_ready(req: Request) -> Response:
        return await guarded(_ready(req, services))

    return blueprint


async def _ready(request: Request, services: Services) -> Response:
    services.door.enter(request.headers, request.query_params)
    report = await (await services.open()).health.ready()
    return json_reply(report, status=200 if report["status"] == "ready" else 503)
