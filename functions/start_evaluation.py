"""POST /api/evaluations and POST /api/evaluations/{run}/items: start a run, in one request or in batches."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import body_of, evaluation_id_of, guarded, idempotency_key_of, json_reply
from shared.api.models import validated
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("start_evaluation")
    @blueprint.route(route="evaluations", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def start_evaluation(req: Request) -> Response:
        return await guarded(_start(req, services))

    @blueprint.function_name("add_evaluation_items")
    @blueprint.route(route="evaluations/{run}/items", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def add_evaluation_items(req: Request) -> Response:
        return await guarded(_add(req, services))

    return blueprint


async def _start(request: Request, services: Services) -> Response:
    principal = services.door.enter_operator(request.headers, request.query_params)
    from shared.evaluating.requests import EvaluationRequest  # noqa: PLC0415  the chat never needs it

    body = validated(EvaluationRequest, await body_of(request))
    runs = (await services.open()).evaluations.runs
    run = await runs.start(body, principal, idempotency_key_of(request))
    headers = {"Location": f"/api/evaluations/{run.run_id}", "Retry-After": "2"}
    return json_reply(await runs.describe(run), status=202, headers=headers)


async def _add(request: Request, services: Services) -> Response:
    principal = services.door.enter_operator(request.headers, request.query_params)
    from shared.evaluating.requests import EvaluationItemsIn  # noqa: PLC0415  the chat never needs it

    body = validated(EvaluationItemsIn, await body_of(request))
    runs = (await services.open()).evaluations.runs
    return json_reply(await runs.describe(await runs.add(evaluation_id_of(request), body, principal)), status=202)
