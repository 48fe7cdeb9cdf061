"""The local host makes one request for each invocation, for as long as its answer takes, and without its query."""

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from local.host.app import azure_monitor, telemetry
from local.host.app.azure_monitor import AzureMonitor
from local.host.app.functions import HTTP, SERVICE_BUS, TIMER, Function
from local.host.app.invocation import NO_TRACE, Trace
from tests.unit.telemetry.otel import Memory

PARENT = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "")
FUNCTION = Function(
    name="f",
    call=lambda: None,
    is_async=False,
    trigger={"type": HTTP, "route": "chat/{turn}"},
    parameter="req",
    raw_body=None,
    wants_context=False,
    returns=True,
    directory=".",
    raw_bindings=(),
)


@dataclass
class Request:
    """As much of a request as telemetry looks at."""

    method: str = "GET"
    url: str = "http://host/api/chat/42?code=secret-key"


@dataclass
class Streamed:
    """A streaming response."""

    body_iterator: AsyncIterator[bytes]
    status_code: int = 200


@dataclass
class Plain:
    """A response that is complete."""

    status_code: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def monitor(memory: Memory) -> AzureMonitor:
    # The constructor would set up the providers of the whole process.
    monitor = AzureMonitor.__new__(AzureMonitor)
    monitor._tracer = memory.tracer
    return monitor


async def parts(*texts: bytes, fault: Exception | None = None) -> AsyncIterator[bytes]:
    for text in texts:
        yield text
    if fault is not None:
        raise fault


async def test_a_request_lasts_until_the_last_byte_of_its_stream(memory: Memory, monitor: AzureMonitor) -> None:
    async def run(_here: Trace) -> Streamed:
        return Streamed(parts(b"a", b"b"))

    response = await monitor.request(FUNCTION, Request(), PARENT, run)
    before = len(memory.spans)
    sent = [part async for part in response.body_iterator]

    (span,) = memory.spans

    assert (before, sent) == (0, [b"a", b"b"])
    assert (span.name, span.kind) == ("GET /api/chat/{turn}", SpanKind.SERVER)
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" in PARENT.parent
    assert "secret-key" not in span.to_json()


@pytest.mark.parametrize(
    ("status", "expected"), [(200, StatusCode.UNSET), (404, StatusCode.UNSET), (503, StatusCode.ERROR)]
)
async def test_only_answers_from_500_on_are_errors(
    memory: Memory, monitor: AzureMonitor, status: int, expected: StatusCode
) -> None:
    async def run(_here: Trace) -> Plain:
        return Plain(status)

    await monitor.request(FUNCTION, Request(), NO_TRACE, run)

    assert memory.spans[0].status.status_code is expected
    assert (memory.spans[0].attributes or {})["http.response.status_code"] == status


async def test_a_stream_that_fails_is_an_error_named_by_its_type_alone(memory: Memory, monitor: AzureMonitor) -> None:
    async def run(_here: Trace) -> Streamed:
        return Streamed(parts(b"a", fault=ValueError("words of a caller")))

    response = await monitor.request(FUNCTION, Request(), NO_TRACE, run)
    with pytest.raises(ValueError, match="words"):
        [part async for part in response.body_iterator]

    (span,) = memory.spans

    assert span.status.status_code is StatusCode.ERROR
    assert "words" not in span.to_json()


async def test_a_function_is_told_the_trace_context_of_its_own_request(memory: Memory, monitor: AzureMonitor) -> None:
    told: list[Trace] = []

    async def run(here: Trace) -> Plain:
        told.append(here)
        return Plain()

    await monitor.request(FUNCTION, Request(), PARENT, run)

    assert memory.spans[0].context is not None
    assert f"{memory.spans[0].context.span_id:016x}" in told[0].parent


@pytest.mark.parametrize(("kind", "expected"), [(SERVICE_BUS, SpanKind.CONSUMER), (TIMER, SpanKind.SERVER)])
def test_messages_and_timers_are_requests_that_continue_their_senders_trace(
    memory: Memory, monitor: AzureMonitor, kind: str, expected: SpanKind
) -> None:
    function = dataclasses.replace(FUNCTION, trigger={"type": kind, "queueName": "q"})
    with pytest.raises(RuntimeError), monitor.invocation(function, PARENT, "id") as here:
        raise RuntimeError

    (span,) = memory.spans

    assert span.kind is expected
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" in PARENT.parent
    assert here.parent.split("-")[1] == PARENT.parent.split("-")[1]
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    ("template", "path", "route"),
    [
        ("chat", "/api/chat", "/api/chat"),
        ("chat/{turn}/stream", "/api/chat/7/stream", "/api/chat/{turn}/stream"),
        ("{*path}", "/api/index.html", "/{*path}"),
        ("health/live", "/health/live", "/health/live"),
    ],
)
def test_the_route_is_named_with_the_apps_prefix(template: str, path: str, route: str) -> None:
    assert azure_monitor._route(template, path) == route


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {telemetry.CONNECTION_STRING: "InstrumentationKey=0"},
        {telemetry.ENABLED: "true"},
        {telemetry.ENABLED: "false", telemetry.CONNECTION_STRING: "InstrumentationKey=0"},
    ],
    ids=["nothing", "no switch", "no address", "switched off"],
)
def test_telemetry_is_off_unless_both_settings_ask_for_it(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    for name in (telemetry.ENABLED, telemetry.CONNECTION_STRING):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert telemetry.configured() is telemetry.OFF
