"""Runs the official exporter once: spans, logs, events, metrics, an exception. Started as a process by the tests."""

import logging
import sys

from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import _logs, metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

_CHAT = {"gen_ai.system": "azure.ai.openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


def main(connection_string: str) -> None:
    """Sends one turn's telemetry and waits until it is delivered."""
    configure_azure_monitor(
        connection_string=connection_string,
        logger_name="spillway",
        enable_performance_counters=False,
        disable_offline_storage=True,
    )
    tracer, meter, log = trace.get_tracer("spillway"), metrics.get_meter("spillway"), logging.getLogger("spillway")
    log.setLevel(logging.INFO)
    first_token, tokens = meter.create_histogram("chat.ttft_ms"), meter.create_counter("chat.tokens")
    attributes = {
        "http.request.method": "POST", "http.route": "/api/chat", "url.path": "/api/chat", "url.scheme": "http",
        "server.address": "localhost", "http.response.status_code": 200, "tenant": "acme",
        "microsoft.custom_measurements": '{"queue_wait_ms": 12.5}',
    }  # fmt: skip
    with tracer.start_as_current_span("POST /api/chat", kind=SpanKind.SERVER, attributes=attributes) as turn:
        with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT, attributes=_CHAT) as call:
            call.set_status(Status(StatusCode.ERROR, "throttled"))
        log.warning("retry %d of %d", 1, 3, extra={"tenant": "acme"})
        extra = {"microsoft.custom_event.name": "gen_ai.evaluation.result", "gen_ai.evaluation.name": "coherence"}
        log.info("scored", extra={**extra, "microsoft.custom_measurements": '{"score": 4.5}'})
        turn.record_exception(ValueError("boom"))
        first_token.record(340, {"model": "gpt-4o"})
        first_token.record(200, {"model": "gpt-4o"})
        tokens.add(11, {"tenant": "acme"})
    trace.get_tracer_provider().shutdown()
    _logs.get_logger_provider().shutdown()
    metrics.get_meter_provider().shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
