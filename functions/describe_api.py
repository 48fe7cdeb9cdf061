"""GET /api/openapi.json: the routes as an OpenAPI document."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import guarded, json_reply
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("describe_api")
    @blueprint.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def describe_api(req: Request) -> Response:
        return await guarded(_describe(req, services))

    return blueprint


async def _describe(request: Request, services: Services) -> Response:
    services.door.enter(request.headers, request.query_params)
    from shared.api.openapi import document  # noqa: PLC0415  all models of the API, which a starting instance can do without

    return json_reply(document())
