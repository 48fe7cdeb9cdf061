"""GET and DELETE /api/sessions/{session}: the conversation so far, or its end."""

import re

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import SAFE, guarded, json_reply
from shared.errors import InvalidRequest
from shared.wiring import Services

SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("read_session")
    @blueprint.route(route="sessions/{session}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def read_session(req: Request) -> Response:
        return await guarded(_read(req, services))

    @blueprint.function_name("forget_session")
    @blueprint.route(route="sessions/{session}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
    async def forget_session(req: Request) -> Response:
        return await guarded(_forget(req, services))

    return blueprint


async def _read(request: Request, services: Services) -> Response:
    chat = (await services.open()).chat
    principal = services.door.enter(request.headers, request.query_params)
    return json_reply(await chat.history(_session(request), principal))


async def _forget(request: Request, services: Services) -> Response:
    chat = (await services.open()).chat
    principal = services.door.enter(request.headers, request.query_params)
    await chat.forget(_session(request), principal)
    return Response(status_code=204, headers=SAFE)


def _session(request: Request) -> str:
    session_id = str(request.path_params["session"])
    if not SESSION.fullmatch(session_id):
        raise InvalidRequest("session: 1 to 64 letters, digits, - or _")
    return session_id
