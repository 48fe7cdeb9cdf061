"""Requests to every route of the OpenAPI document, so that a new route cannot be left out of a test."""

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from shared.api.openapi import document
from shared.api.openapi_routes import ROUTES, Route

BODIES: dict[str, Any] = {
    "ChatRequest": {"message": "Hello"},
    "CompletionRequest": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]},
    "FeedbackRequest": {"rating": "up"},
    "KnowledgeBatch": {"documents": [{"id": "a", "title": "A", "text": "About a."}]},
    "ReplayRequest": {"lane": "batch"},
    "EvaluationRequest": {"name": "r", "items": [{"id": "1", "question": "Hello?"}]},
    "EvaluationItemsIn": {"items": [{"id": "2", "question": "Hello?"}]},
    "LaneSwitch": {"paused": False},
    "DeploymentSwitch": {"draining": False},
    "WorkbookQueryRequest": {},
}
"""A valid body of each model that a route takes."""

USER_ROUTES = {
    *("accept_turn", "read_turn", "follow_turn", "cancel_turn", "rate_turn", "read_session", "forget_session"),
    *("read_timeline", "complete_chat", "list_models", "report_ready", "describe_api"),
}
OPEN_ROUTES = {"report_live"}
TENANTS_OWN = {"turn", "session", "run"}
"""Parameters in a path that name something of a tenant."""
INSTALLATIONS = {"lane": "batch", "name": "chat-0", "query": "cost-lanes"}
"""Parameters in a path that name something of the whole installation, which operators of all tenants share."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a route; `parameters` are the names in its path."""

    route: Route
    parameters: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.route.function

    @property
    def names_a_tenants_own(self) -> bool:
        assert set(self.parameters) <= TENANTS_OWN | INSTALLATIONS.keys(), "say whose a new parameter is"
        return bool(TENANTS_OWN & set(self.parameters))

    @property
    def for_operators(self) -> bool:
        return self.name not in USER_ROUTES | OPEN_ROUTES

    def send(self, client: httpx2.Client, ids: dict[str, str], **options: Any) -> httpx2.Response:
        """Sends it with these ids in the path, and with a valid body."""
        body = None if self.route.takes is None else BODIES[self.route.takes.__name__]
        path = self.route.path.format(**INSTALLATIONS, **ids)
        return client.request(self.route.method.upper(), path, json=body, **options)


def calls() -> list[Call]:
    """One call for each operation of the document."""
    by_name = {route.function: route for route in ROUTES}
    found = [
        Call(by_name[operation["operationId"]], tuple(re.findall(r"{(\w+)}", path)))
        for path, operations in document()["paths"].items()
        for operation in operations.values()
    ]
    assert len(found) == len(ROUTES)
    return found
