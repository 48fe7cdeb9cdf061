"""GET /api/operations and the switches of lanes and deployments, for operators."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import body_of, guarded, json_reply
from shared.api.models import DeploymentSwitch, LaneSwitch, validated
from shared.errors import InvalidRequest
from shared.turns import Lane
from shared.wiring import Services


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("report_operations")
    @blueprint.route(route="operations", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def report_operations(req: Request) -> Response:
        return await guarded(_report(req, services))

    @blueprint.function_name("switch_lane")
    @blueprint.route(route="operations/lanes/{lane}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def switch_lane(req: Request) -> Response:
        return await guarded(_switch_lane(req, services))

    @blueprint.function_name("switch_deployment")
    @blueprint.route(route="operations/deployments/{name}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def switch_deployment(req: Request) -> Response:
        return await guarded(_switch_deployment(req, services))

    return blueprint


async def _report(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    return json_reply(await (await services.open()).operator_desk.view())


async def _switch_lane(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    lane = str(request.path_params["lane"])
    if lane not in set(Lane):
        raise InvalidRequest(f"lane: choose one of {', '.join(Lane)}")
    body = validated(LaneSwitch, await body_of(request))
    return json_reply(await (await services.open()).operator_desk.pause(Lane(lane), paused=body.paused))


async def _switch_deployment(request: Request, services: Services) -> Response:
    services.door.enter_operator(request.headers, request.query_params)
    body = validated(DeploymentSwitch, await body_of(request))
    name = str(request.path_params["name"])
    return json_reply(await (await services.open()).operator_desk.drain(name, draining=body.draining))
