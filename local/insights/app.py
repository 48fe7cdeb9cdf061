"""The whole wire surface on one page: method and path to handler."""

import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.insights import handlers
from local.insights.service import Service

_EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(make_service: Callable[[], Service], on_ready: Callable[[], None]) -> Starlette:
    """The application. The service is made when it starts, inside the event loop, and closed when it stops."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        service = make_service()
        app.state.service = service
        on_ready()
        try:
            yield
        finally:
            service.close()

    app = Starlette(
        routes=[
            Route("/v2.1/track", handlers.track, methods=["POST"]),
            Route("/v2/track", handlers.track, methods=["POST"]),
            Route("/QuickPulseService.svc/{operation:path}", handlers.live_metrics, methods=["POST"]),
            Route("/v1/apps/{resource}/query", handlers.query, methods=["POST", "GET"]),
            Route("/v1/workspaces/{resource}/query", handlers.query, methods=["POST", "GET"]),
            Route("/_sim/account", handlers.account, methods=["GET"]),
            Route("/{path:path}", handlers.not_covered, methods=_EVERY_METHOD),
        ],
        lifespan=lifespan,
        exception_handlers={Exception: handlers.failed},
    )
    app.add_middleware(_OneLeadingSlash)
    return app


class _OneLeadingSlash:
    """The exporters join an endpoint that ends in a slash with a path that begins with one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("//"):
            scope["path"] = "/" + scope["path"].lstrip("/")
        await self._app(scope, receive, send)
