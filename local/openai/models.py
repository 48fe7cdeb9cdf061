"""Lists what can be called, in the shape of the models operation."""

from typing import Any

import orjson

from local.openai import headers
from local.openai.auth import authorise
from local.openai.errors import ServiceError, model_body
from local.openai.exchange import Exchange
from local.openai.routes import Route
from local.openai.service import Service


async def respond(service: Service, exchange: Exchange, route: Route) -> None:
    """Answers `models` and `models/{name}`.

    Raises:
        ServiceError: 401 without the key, 404 for a name that is not there.
    """
    authorise(exchange.headers, service.key)
    created = int(service.started_at)
    models = [
        {"id": running.deployment.name, "object": "model", "created": created, "owned_by": running.deployment.account}
        for running in service.of_account(route.account)
    ]
    answer: dict[str, Any] = {"object": "list", "data": models}
    if route.model is not None:
        found = [model for model in models if model["id"] == route.model]
        if not found:
            message = f"The model '{route.model[:64]}' does not exist"
            body = model_body(message, "invalid_request_error", param="model", code="model_not_found")
            raise ServiceError(404, body, "not_found")
        answer = found[0]
    client_request_id = exchange.headers.get(b"x-ms-client-request-id", b"")[:128]
    content_type = (b"content-type", b"application/json")
    await exchange.answer(200, orjson.dumps(answer), [content_type, *headers.identity(None, client_request_id)])
