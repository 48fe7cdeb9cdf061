"""GET /api/workbook and POST /api/workbook/queries/{query}: what the console shows, for operators."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import body_of, guarded, json_reply
from shared.api.models import WorkbookQueryRequest, validated
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("read_workbook")
    @blueprint.route(route="workbook", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def read_workbook(req: Request) -> Response:
        return await guarded(_read(req, services))

    @blueprint.function_name("run_workbook_query")
    @blueprint.route(route="workbook/queries/{query}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def run_workbook_query(req: Request) -> Response:
        return await guarded(_run(req, services))

    return blueprint


async def _read(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    return json_reply(services.workbook.describe())


async def _run(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    values = validated(WorkbookQueryRequest, await body_of(request)).parameters
    return json_reply(await services.workbook.run(str(request.path_params["query"]), values))
