"""The ASGI application: a path finds its handler, every error gets its shape."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local.openai import chat, control, embeddings, headers, models, routes
from local.openai.alarm import Alarm
from local.openai.errors import ServiceError, server_error, wrong_method
from local.openai.exchange import ClientGone, Exchange
from local.openai.model_call import ModelCall
from local.openai.service import Service

logger = logging.getLogger("local.openai")
_RESPONDERS = {"chat": chat.respond, "embeddings": embeddings.respond}

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Application:
    """Azure OpenAI's surface over one service state."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._alarm = Alarm()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request; whatever happens, it does not reach other requests."""
        if scope["type"] != "http":
            raise RuntimeError(f"connections of type {scope['type']} are not covered")
        exchange = Exchange(scope, receive, send, self._alarm)
        try:
            await self._route(exchange)
        except ServiceError as error:
            await self._fail(exchange, error)
        except ClientGone:
            logger.debug("the caller left")
        except Exception:
            logger.exception("%s %s failed", exchange.method, exchange.path)
            await self._fail(exchange, server_error(500))
        finally:
            exchange.close()

    async def _route(self, exchange: Exchange) -> None:
        if exchange.path.startswith("/_sim/"):
            await control.respond(self._service, exchange)
            return
        route = routes.find(exchange.path, exchange.query)
        if route.operation == "models":
            if exchange.method != "GET":
                raise wrong_method("GET")
            await models.respond(self._service, exchange, route)
            return
        if exchange.method != "POST":
            raise wrong_method("POST")
        await ModelCall(self._service, exchange, route).run(_RESPONDERS[route.operation])

    async def _fail(self, exchange: Exchange, error: ServiceError) -> None:
        if not exchange.started:
            client_request_id = exchange.headers.get(b"x-ms-client-request-id", b"")[:128]
            await exchange.fail(error, headers.identity(None, client_request_id))
