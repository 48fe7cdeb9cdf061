"""HTTP functions of an app that imports the FastAPI extension: a real request in, any response out, streams too."""

from typing import Any

from fastapi.encoders import jsonable_encoder
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from local.host.app import extension
from local.host.app.functions import Function
from local.host.app.invocation import Invoker
from local.host.web.endpoint import Exchange


class FastApiAdapter:
    """Answers as the extension's catch-all FastAPI route does, without FastAPI's machinery in between."""

    def __init__(self, invoker: Invoker) -> None:
        """Takes the extension's classes; the app must have imported it."""
        self._invoker = invoker
        self._request = extension.request_class()
        self._synchronizer = extension.route_synchronizer()

    async def answer(self, function: Function, exchange: Exchange) -> None:
        """Calls the function with the extension's request and sends its response.

        A starlette response goes out as it is and may stream; any other value is sent as JSON, a text too; an
        HTTPException becomes FastAPI's answer to it.

        Raises:
            Exception: Whatever else the function or its stream raises; a ValueError when it returns None.
        """
        exchange.scope["path_params"] = {}
        request = self._request(exchange.scope, exchange.receive, exchange.send)
        self._synchronizer.sync_route_params(request, exchange.route_values)
        try:
            result = await self._invoker.call(function, request, exchange.trace, exchange.invocation_id)
        except HTTPException as error:
            response = await http_exception_handler(request, error)
        else:
            response = as_response(result)
        await response(exchange.scope, exchange.receive, exchange.send)


def as_response(result: Any) -> Response:
    """What the extension sends for a returned value.

    Raises:
        ValueError: The value is None, which the worker refuses.
    """
    if isinstance(result, Response):
        return result
    if result is None:
        raise ValueError("The function returned None; the FastAPI extension needs a response.")
    return JSONResponse(jsonable_encoder(result))
