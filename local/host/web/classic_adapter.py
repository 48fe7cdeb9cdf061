"""HTTP functions with azure.functions.HttpRequest and HttpResponse, through Microsoft's own converters."""

from urllib.parse import parse_qsl

from azure.functions.meta import Datum
from starlette.requests import Request

from local.host.app.functions import HTTP, Function, converter
from local.host.app.invocation import Invoker
from local.host.web.endpoint import Exchange


class ClassicAdapter:
    """Reads the whole body, calls the function, sends the whole answer."""

    def __init__(self, invoker: Invoker) -> None:
        """Takes the converters of the app's azure.functions."""
        self._invoker = invoker
        self._decoder = converter(HTTP)
        self._encoder = converter("http")

    async def answer(self, function: Function, exchange: Exchange) -> None:
        """Calls the function with a classic request and sends its response.

        Raises:
            Exception: Whatever the function raises; a NotImplementedError when it returns neither a text nor a
                response.
        """
        request = Request(exchange.scope, exchange.receive)
        body = await request.body()
        datum = Datum(
            type="http",
            value={
                "method": _text(request.method),
                "url": _text(str(request.url)),
                "headers": {name: _text(value) for name, value in request.headers.items()},
                "query": {name: _text(value) for name, value in parse_qsl(request.url.query, keep_blank_values=True)},
                "params": {name: _text(value) for name, value in exchange.route_values.items()},
                "body": Datum(type="bytes", value=body),
            },
        )
        argument = self._decoder.decode(datum, trigger_metadata=None)
        result = await self._invoker.call(function, argument, exchange.trace, exchange.invocation_id)
        await _send(exchange, self._encoder.encode(result, expected_type=None))


def _text(value: str) -> Datum:
    return Datum(type="string", value=value)


async def _send(exchange: Exchange, answer: Datum) -> None:
    """Sends an encoded answer: a bare text, or status, headers, cookies and body."""
    if answer.type == "string":
        status, body = 200, str(answer.value).encode()
        headers = [("content-type", "text/plain; charset=utf-8")]
    else:
        status, body = int(answer.value["status_code"].value), answer.value["body"].value
        headers = [(name, value.value) for name, value in answer.value["headers"].items()]
        headers += [
            ("set-cookie", morsel.OutputString()) for jar in answer.value["cookies"] or () for morsel in jar.values()
        ]
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    raw.append((b"content-length", str(len(body)).encode()))
    await exchange.send({"type": "http.response.start", "status": status, "headers": raw})
    await exchange.send({"type": "http.response.body", "body": body})
