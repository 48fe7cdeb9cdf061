"""The OpenAPI document, made of the models that validate requests and describe answers."""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.api import views
from shared.api.openapi_routes import ROUTES, Route
from shared.lanes import Lane

VERSION = "0.1.0"
KEYS = ("x-functions-key", "api-key")
EVENTS = ("accepted", "queued", "delta", "restart", "done", "error", "continue")


PLACE = {"type": "string", "pattern": "^[0-9]{0,16}$"}
# What a parameter may be, by its name, or by function and name where that differs. Anything else is text.
PARAMETERS: dict[str, dict[str, Any]] = {
    "days": {"type": "integer", "minimum": 1, "maximum": 31},
    "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 200},
    "lane": {"enum": [lane.value for lane in Lane]},
    "last_event_id": PLACE,
    "Last-Event-ID": PLACE,
    "report": {"enum": ["true", "false"]},
    "list_dead_letters.after": {"type": "integer", "minimum": 0, "maximum": 2**62},
    "list_dead_letters.limit": {"type": "integer", "minimum": 1, "maximum": 250},
    "list_evaluations.limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "read_evaluation_scores.after": {"type": "string", "pattern": "^[a-z0-9-]{0,64}$"},
    "read_evaluation_scores.limit": {"type": "integer", "minimum": 1, "maximum": 1000},
}


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    models = sorted(
        {model for route in ROUTES for model in (route.takes, route.gives, route.error_view) if model is not None},
        key=lambda model: model.__name__,
    )
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Spillway", "version": VERSION, "description": "A GenAI chat backend on Azure Functions."},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                **{name: {"type": "apiKey", "in": "header", "name": name} for name in KEYS},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{name: []} for name in (*KEYS, "bearer")],
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.function,
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": _responses(route),
    }
    if route.takes is not None:
        operation["requestBody"] = {"required": True, "content": _json(route.takes)}
    if route.open:
        operation["security"] = []
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}

    def schema(name: str) -> dict[str, Any]:
        return PARAMETERS.get(f"{route.function}.{name}") or PARAMETERS.get(name) or text

    in_path = [
        {"name": name, "in": "path", "required": True, "schema": schema(name)}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    in_query = [{"name": name, "in": "query", "required": False, "schema": schema(name)} for name in route.query]
    in_header = [{"name": name, "in": "header", "required": False, "schema": schema(name)} for name in route.headers]
    return in_path + in_query + in_header


def _responses(route: Route) -> dict[str, Any]:
    content = {} if route.gives is None else _json(route.gives)
    if route.streams:
        content["text/event-stream"] = {"schema": _event(route)}
    if route.function == "describe_api":
        content["application/json"] = {"schema": {"type": "object"}}
    good = {"description": route.summary, **({"content": content} if content else {})}
    responses: dict[str, Any] = {str(status): good for status in (route.status, *route.also)}
    # The door refuses whoever asks too often, on every route that has a door.
    refusals = route.errors if route.open else sorted({*route.errors, 429})
    for status in refusals:
        view = views.HealthReply if route.function == "report_ready" and status == 503 else route.error_view
        responses[str(status)] = {"description": "Refused or failed", "content": _json(view)}
    return responses


def _event(route: Route) -> dict[str, Any]:
    """One event of a stream; OpenAI's have data only."""
    text = {"type": "string"}
    if route.error_view is views.OpenAIErrorReply:
        return {"type": "object", "description": "One event", "properties": {"data": text}, "required": ["data"]}
    own = {"id": {"type": "string", "pattern": "^[0-9]+$"}, "event": {"enum": list(EVENTS)}, "data": text}
    return {"type": "object", "description": "One event", "properties": own, "required": list(own)}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
