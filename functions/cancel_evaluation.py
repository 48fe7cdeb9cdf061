"""DELETE /api/evaluations/{run}: cancel a run."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import evaluation_id_of, guarded, json_reply
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The trigger, bound to its services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("cancel_evaluation")
    @blueprint.route(route="evaluations/{run}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
    async def cancel_evaluation(req: Request) -> Response:
        return await guarded(_cancel(req, services))

    return blueprint


async def _cancel(request: Request, services: Services) -> Response:
    principal = services.door.enter_operator(request.headers, request.query_params)
    runs = (await services.open()).evaluations.runs
    run = await runs.cancel(evaluation_id_of(request), principal)
    return json_reply(await runs.describe(run))
