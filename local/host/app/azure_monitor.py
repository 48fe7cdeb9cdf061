"""Telemetry through Azure Monitor's exporter: one request for each invocation, the app's own telemetry inside it.

On Azure the host makes the request and the Python worker sets up the app's providers; here one process does both, and a
function sees the same: a current span while it runs.
Source: azure-functions-runtime 1.3.0, `otel.py`; azure-monitor-opentelemetry 1.8.11.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import _logs, metrics
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, get_tracer, get_tracer_provider, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from local.host.app.functions import SERVICE_BUS, Function
from local.host.app.invocation import Trace
from local.host.app.telemetry import Telemetry

_SCOPE = "local.host"
_FLUSH_SECONDS = 5
_W3C = TraceContextTextMapPropagator()
_logger = logging.getLogger(__name__)


class AzureMonitor(Telemetry):
    """Makes spans and lets the app's libraries export theirs."""

    def __init__(self, connection_string: str, *, logger_name: str) -> None:
        """Sets up the process's providers.

        Args:
            connection_string: Of the Application Insights resource.
            logger_name: The Python logger whose records are exported; empty for all.
        """
        # Live metrics would go to the internet when the connection string names no address for them.
        configure_azure_monitor(connection_string=connection_string, logger_name=logger_name, enable_live_metrics=False)
        self._tracer = get_tracer(_SCOPE)

    async def request(
        self, function: Function, request: Any, trace: Trace, run: Callable[[Trace], Awaitable[Any]]
    ) -> Any:
        """A SERVER span from the call of the function to the last byte of its answer."""
        attributes = _described_request(function, request)
        name = f"{attributes['http.request.method']} {attributes['http.route']}"
        span = self._tracer.start_span(name, _context_of(trace), SpanKind.SERVER, attributes)
        with _current(span):
            try:
                response = await run(_here(trace))
            except BaseException as error:
                _failed(span, error)
                span.end()
                raise
            _answered(span, getattr(response, "status_code", 200))
        if hasattr(response, "body_iterator"):
            response.body_iterator = _until_sent(span, response.body_iterator)
        else:
            span.end()
        return response

    @contextlib.contextmanager
    def invocation(self, function: Function, trace: Trace, invocation_id: str) -> Iterator[Trace]:
        """A CONSUMER span for a message, a SERVER span for a timer."""
        kind, attributes = _described(function, invocation_id)
        span = self._tracer.start_span(function.name, _context_of(trace), kind, attributes)
        try:
            with _current(span):
                yield _here(trace)
        except BaseException as error:
            _failed(span, error)
            raise
        finally:
            span.end()

    def flush(self) -> None:
        """Sends what has not been sent; waits some seconds for each kind at most."""
        for provider in (get_tracer_provider(), _logs.get_logger_provider(), metrics.get_meter_provider()):
            # The API's providers have no such method, the SDK's do.
            force_flush = getattr(provider, "force_flush", None)
            if force_flush is not None and not force_flush(_FLUSH_SECONDS * 1000):
                _logger.warning("Telemetry could not be sent within %d s.", _FLUSH_SECONDS)


async def _until_sent(span: Span, parts: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """The parts of a streamed answer; its request ends with the last of them, or when the caller has left."""
    try:
        async for part in parts:
            yield part
    except BaseException as error:
        _failed(span, error)
        raise
    finally:
        span.end()


def _current(span: Span) -> contextlib.AbstractContextManager[Span]:
    return use_span(span, record_exception=False, set_status_on_exception=False)


def _context_of(trace: Trace) -> Context:
    """The caller's trace and nothing else: what accepted the connection or received the message has no part in it."""
    return _W3C.extract({"traceparent": trace.parent, "tracestate": trace.state}, Context())


def _described_request(function: Function, request: Any) -> dict[str, Any]:
    """What is known of a request when it comes. The query is left out: it can carry keys."""
    path = urlsplit(str(request.url)).path
    return {
        "http.request.method": request.method,
        "http.route": _route(str(function.trigger.get("route") or function.name), path),
        "url.path": path,
        "faas.name": function.name,
        "faas.trigger": "http",
    }


def _route(template: str, path: str) -> str:
    """The route with the app's prefix, which only the path knows here: `/api/chat/{turn}`."""
    literal = template.partition("{")[0].strip("/")
    start = path.find(f"/{literal}") if literal else -1
    return f"{path[: max(start, 0)]}/{template.strip('/')}"


def _described(function: Function, invocation_id: str) -> tuple[SpanKind, dict[str, Any]]:
    attributes = {"faas.name": function.name, "faas.invocation_id": invocation_id}
    if function.kind != SERVICE_BUS:
        return SpanKind.SERVER, attributes | {"faas.trigger": "timer"}
    entity = function.trigger.get("queueName") or function.trigger.get("topicName") or ""
    messaging = {"messaging.system": "servicebus", "messaging.destination.name": entity}
    return SpanKind.CONSUMER, attributes | messaging | {"faas.trigger": "pubsub"}


def _answered(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def _failed(span: Span, error: BaseException) -> None:
    """Names the error's type; its message can quote anything. A caller that leaves is no failure."""
    if isinstance(error, Exception):
        span.set_attribute("error.type", type(error).__name__)
        span.set_attribute("http.response.status_code", getattr(error, "status_code", 500))
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))


def _here(trace: Trace) -> Trace:
    """The current span as a trace context; what came in when there is none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return Trace(carrier.get("traceparent", trace.parent), carrier.get("tracestate", ""))
