"""OpenAI-compatible routes: an existing client changes its base URL and key only."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

from functions.http import (
    TURN_HEADER,
    body_of,
    cache_headers,
    guarded,
    idempotency_key_of,
    json_reply,
    stream_reply,
)
from shared.api.completions import chunks, completion, error_body, model_list
from shared.api.models import CompletionRequest, validated
from shared.errors import DeadlineExceeded, from_dict
from shared.timelines import stages
from shared.timelines.timeline import server_timing
from shared.turns import State
from shared.wiring import Services

WAIT_SECONDS = 200.0


def make_blueprint(services: Services) -> func.Blueprint:
    """The triggers, bound to their services."""
    blueprint = func.Blueprint()

    @blueprint.function_name("complete_chat")
    @blueprint.route(route="openai/v1/chat/completions", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def complete_chat(req: Request) -> Response:
        return await guarded(_complete(req, services), shape=error_body)

    @blueprint.function_name("list_models")
    @blueprint.route(route="openai/v1/models", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def list_models(req: Request) -> Response:
        return await guarded(_models(req, services), shape=error_body)

    return blueprint


async def _complete(request: Request, services: Services) -> Response:
    timeline = services.arrivals.timeline(request.headers)
    services.warm_up.for_callers()
    chat = (await services.open()).chat
    services.arrivals.started(timeline)
    principal = services.door.enter(request.headers, request.query_params)
    content = await body_of(request)
    timeline.mark(stages.RECEIVE)
    body = validated(CompletionRequest, content)
    accepted = await chat.complete(
        body,
        principal,
        idempotency_key=idempotency_key_of(request),
        timeline=timeline,
        cache_control=request.headers.get("cache-control", ""),
    )
    if body.stream:
        include_usage = body.stream_options is not None and body.stream_options.include_usage
        return stream_reply(
            accepted, chunks(accepted, chat.follow(accepted), model=body.model, include_usage=include_usage)
        )
    turn = await chat.wait(accepted, WAIT_SECONDS)
    if turn.state is State.SUCCEEDED:
        headers = {TURN_HEADER: turn.turn_id, "Server-Timing": server_timing(turn.timeline)}
        return json_reply(completion(turn, body.model), headers={**headers, **cache_headers(accepted, turn)})
    if turn.state.terminal:
        raise from_dict(turn.error or {})
    raise DeadlineExceeded("The answer did not come while the connection could be held. Ask again.")


async def _models(request: Request, services: Services) -> Response:
    services.door.enter(request.headers, request.query_params)
    return json_reply(model_list(services.chat.models))
