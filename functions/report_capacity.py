"""GET /api/capacity: what operators see of the deployments."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import guarded, json_reply
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("report_capacity")
    @blueprint.route(route="capacity", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def report_capacity(req: Request) -> Response:
        return await guarded(_report(req, services))

    return blueprint


async def _report(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    deployments = services.capacity.describe()
    return json_reply({"instance": services.instance, "deployments": deployments})
