"""GET below /api/evaluations: the runs, one run as JSON or as its scorecard, its scores; and quality in production."""

import re

import azure.functions as func
from azurefunctions.extensions.http.fastapi import HTMLResponse, Request, Response

from functions.http import SAFE, evaluation_id_of, guarded, json_reply, whole_number
from shared.errors import InvalidRequest
from shared.wiring import Services

HTML = "text/html"
SCORECARD_HEADERS = {
    **SAFE,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
PLACE = re.compile(r"[a-z0-9-]{0,64}")


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("list_evaluations")
    @blueprint.route(route="evaluations", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def list_evaluations(req: Request) -> Response:
        return await guarded(_list(req, services))

    @blueprint.function_name("read_evaluation")
    @blueprint.route(route="evaluations/{run}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def read_evaluation(req: Request) -> Response:
        return await guarded(_read(req, services))

    @blueprint.function_name("read_evaluation_scores")
    @blueprint.route(route="evaluations/{run}/scores", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def read_evaluation_scores(req: Request) -> Response:
        return await guarded(_scores(req, services))

    @blueprint.function_name("read_quality")
    @blueprint.route(route="quality", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def read_quality(req: Request) -> Response:
        return await guarded(_quality(req, services))

    return blueprint


async def _list(request: Request, services: Services) -> Response:
    principal = services.door.enter_operator(request.headers, request.query_params)
    limit = whole_number(request, "limit", default=20, least=1, most=100)
    return json_reply({"evaluations": await (await services.open()).evaluations.runs.list(principal, limit)})


async def _read(request: Request, services: Services) -> Response:
    principal = services.door.enter_operator(request.headers, request.query_params)
    runs = (await services.open()).evaluations.runs
    run = await runs.get(evaluation_id_of(request), principal)
    if HTML in request.headers.get("accept", ""):
        return HTMLResponse(await runs.scorecard(run), headers={**SCORECARD_HEADERS, "Vary": "Accept"})
    report = request.query_params.get("report", "true")
    if report not in {"true", "false"}:
        raise InvalidRequest("report: must be true or false")
    body = await (runs.report(run) if report == "true" else runs.describe(run))
    return json_reply(body, headers={"Vary": "Accept"})


async def _scores(request: Request, services: Services) -> Response:
    principal = services.door.enter_operator(request.headers, request.query_params)
    runs = (await services.open()).evaluations.runs
    run = await runs.get(evaluation_id_of(request), principal)
    limit = whole_number(request, "limit", default=500, least=1, most=1000)
    after = request.query_params.get("after", "")
    if not PLACE.fullmatch(after):
        raise InvalidRequest("after: must be the one that the page before gave")
    return json_reply(await runs.scores(run, after=after, limit=limit))


async def _quality(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    days = whole_number(request, "days", default=2, least=1, most=31)
    return json_reply(await (await services.open()).evaluations.quality.of_days(days))
