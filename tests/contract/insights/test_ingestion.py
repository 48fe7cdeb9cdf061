"""Golden envelopes become the rows that the published mapping says, whatever form the body takes."""

import gzip
import json
import zlib
from typing import Any

import pytest

from tests.contract.insights.client import Insights

_TAGS = {
    "ai.operation.id": "0af7651916cd43dd8448eb211c80319c",
    "ai.operation.parentId": "b7ad6b7169203331",
    "ai.operation.name": "POST /api/chat",
    "ai.cloud.role": "spillway",
    "ai.cloud.roleInstance": "instance-1",
    "ai.user.id": "user-1",
    "ai.session.id": "session-1",
    "ai.application.ver": "1.2.3",
    "ai.location.ip": "10.0.0.1",
    "ai.internal.sdkVersion": "py3.11:otel1.45.1:ext1.0.0b58",
}


def _envelope(base_type: str, base_data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "ver": 1,
        "name": "Microsoft.ApplicationInsights.Telemetry",
        "time": "2026-11-22T10:20:30.456789Z",
        "sampleRate": 25.0,
        "iKey": "11111111-2222-3333-4444-555555555555",
        "tags": _TAGS,
        "data": {"baseType": base_type, "baseData": {"ver": 2, **base_data}},
        **more,
    }


REQUEST = _envelope(
    "RequestData",
    {
        "id": "b7ad6b7169203331", "name": "POST /api/chat", "duration": "1.02:03:04.567", "success": False,
        "responseCode": "429", "url": "http://localhost/api/chat", "source": "caller",
        "properties": {"tenant": "acme", "tokens": "123"}, "measurements": {"ttft_ms": 340.5},
    },
)  # fmt: skip
DEPENDENCY = _envelope(
    "RemoteDependencyData",
    {
        "id": "00f067aa0ba902b7", "name": "chat gpt-4o", "duration": "0.00:00:00.250", "success": True,
        "resultCode": "200", "type": "GenAI | azure.ai.openai", "target": "east", "data": "http://east/chat",
        "properties": {"gen_ai.request.model": "gpt-4o"},
    },
)  # fmt: skip
TRACE = _envelope(
    "MessageData", {"message": "turn accepted", "severityLevel": "Warning", "properties": {"lane": "batch"}}
)
EXCEPTION = _envelope(
    "ExceptionData",
    {
        "severityLevel": "Error",
        "exceptions": [
            {"id": 1, "typeName": "RuntimeError", "message": "the turn failed", "hasFullStack": True, "stack": "a\nb"},
            {"id": 2, "typeName": "TimeoutError", "message": "no token in time", "hasFullStack": False},
        ],
    },
)
EVENT = _envelope(
    "EventData", {"name": "EvalResult", "properties": {"variant": "canary"}, "measurements": {"score": 4.5}}
)
HISTOGRAM = _envelope(
    "MetricData",
    {
        "metrics": [{"name": "chat.ttft_ms", "value": 540.0, "count": 2, "min": 200.0, "max": 340.0}],
        "properties": {"model": "gpt-4o"},
    },
)
COUNTER = _envelope("MetricData", {"metrics": [{"name": "chat.tokens", "value": 11}]})
PERFORMANCE = _envelope("MetricData", {"metrics": [{"name": "\\Process(python)\\Private Bytes", "value": 1024}]})
AVAILABILITY = _envelope(
    "AvailabilityData",
    {"id": "a1", "name": "ping", "duration": "0.00:00:01.000", "success": True, "runLocation": "here", "message": "ok"},
)
EVERY_KIND = [REQUEST, DEPENDENCY, TRACE, EXCEPTION, EVENT, HISTOGRAM, COUNTER, PERFORMANCE, AVAILABILITY]


@pytest.fixture(scope="module", autouse=True)
def _sent(insights: Insights) -> None:
    assert insights.send(EVERY_KIND) == {"itemsReceived": 9, "itemsAccepted": 9, "errors": []}


def test_a_request_keeps_every_field(insights: Insights) -> None:
    assert insights.rows(
        """requests | project timestamp, id, source, name, url, success, resultCode, duration, performanceBucket,
        customDimensions, customMeasurements, operation_Id, operation_ParentId, user_Id, session_Id, itemType,
        itemCount"""
    ) == [
        [
            "2026-11-22T10:20:30.456789Z", "b7ad6b7169203331", "caller", "POST /api/chat", "http://localhost/api/chat",
            False, "429", 93_784_567.0, ">=5min", '{"tenant":"acme","tokens":"123"}', '{"ttft_ms":340.5}',
            _TAGS["ai.operation.id"], "b7ad6b7169203331", "user-1", "session-1", "request", 4,
        ]
    ]  # fmt: skip


def test_a_dependency_keeps_every_field(insights: Insights) -> None:
    assert insights.rows(
        """dependencies | project name, type, target, data, success, resultCode, duration, performanceBucket,
        model = tostring(customDimensions["gen_ai.request.model"]), customMeasurements, cloud_RoleName, itemType"""
    ) == [
        [
            "chat gpt-4o", "GenAI | azure.ai.openai", "east", "http://east/chat", True, "200", 250.0, "250ms-500ms",
            "gpt-4o", None, "spillway", "dependency",
        ]
    ]  # fmt: skip


def test_a_log_line_keeps_message_and_severity(insights: Insights) -> None:
    assert insights.rows("traces | project message, severityLevel, tostring(customDimensions.lane), itemType") == [
        ["turn accepted", 2, "batch", "trace"]
    ]


def test_an_exception_keeps_outer_innermost_and_the_whole_list(insights: Insights) -> None:
    ((*named, details),) = insights.rows(
        """exceptions | project type, outerType, outerMessage, innermostType, innermostMessage, severityLevel,
        problemId, details"""
    )

    assert named == [
        "RuntimeError", "RuntimeError", "the turn failed", "TimeoutError", "no token in time", 3, "RuntimeError",
    ]  # fmt: skip
    assert json.loads(details) == EXCEPTION["data"]["baseData"]["exceptions"]


def test_an_event_keeps_name_dimensions_and_measurements(insights: Insights) -> None:
    assert insights.rows(
        "customEvents | project name, tostring(customDimensions.variant), todouble(customMeasurements.score)"
    ) == [["EvalResult", "canary", 4.5]]


def test_a_histogram_point_keeps_sum_count_and_bounds(insights: Insights) -> None:
    assert insights.rows(
        "customMetrics | project name, value, valueSum, valueCount, valueMin, valueMax | order by name asc"
    ) == [["chat.tokens", 11.0, 11.0, 1, 11.0, 11.0], ["chat.ttft_ms", 540.0, 540.0, 2, 200.0, 340.0]]


def test_a_performance_counter_has_its_own_table(insights: Insights) -> None:
    assert insights.rows("performanceCounters | project category, counter, instance, value") == [
        ["Process", "Private Bytes", "python", 1024.0]
    ]


def test_an_availability_result_has_its_own_table(insights: Insights) -> None:
    assert insights.rows("availabilityResults | project id, name, location, success, message, duration") == [
        ["a1", "ping", "here", True, "ok", 1000.0]
    ]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("AppRequests | project Name, Success, ItemCount, Type", [["POST /api/chat", False, 4, "AppRequests"]]),
        ("AppDependencies | project Name, DependencyType", [["chat gpt-4o", "GenAI | azure.ai.openai"]]),
        ("AppTraces | project Message, SeverityLevel, tostring(Properties.lane)", [["turn accepted", 2, "batch"]]),
        ("AppExceptions | project ExceptionType, InnermostMessage", [["RuntimeError", "no token in time"]]),
        ("AppEvents | project Name, todouble(Measurements.score), AppRoleName", [["EvalResult", 4.5, "spillway"]]),
        ("AppMetrics | where Name == 'chat.ttft_ms' | project Sum, Min, Max, ItemCount", [[540.0, 200.0, 340.0, 2]]),
        ("AppPerformanceCounters | project Counter, Value", [["Private Bytes", 1024.0]]),
        ("AppAvailabilityResults | project Location, Success", [["here", True]]),
    ],
)  # fmt: skip
def test_the_workspace_table_shows_the_same_row(insights: Insights, query: str, rows: list[list[Any]]) -> None:
    assert insights.rows(query) == rows


def _body(name: str, form: str) -> bytes:
    items = [json.dumps(_envelope("EventData", {"name": name})).encode() for _ in range(2)]
    return {"array": b"[" + b",".join(items) + b"]", "lines": b"\n".join(items) + b"\n", "crlf": b"\r\n".join(items)}[
        form
    ]


@pytest.mark.parametrize("path", ["/v2.1/track", "/v2/track"])
@pytest.mark.parametrize("form", ["array", "lines", "crlf"])
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_every_form_of_body_is_taken(insights: Insights, path: str, form: str, encoding: str) -> None:
    name = f"{path}-{form}-{encoding}"
    body = _body(name, form)
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body) if encoding else body
    headers = {"content-encoding": encoding} if encoding else {}

    answer = insights.http.post(path, content=packed, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {"itemsReceived": 2, "itemsAccepted": 2, "errors": []})
    assert insights.rows(f"customEvents | where name == '{name}' | count") == [[2]]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"time": "yesterday"}, "time 'yesterday' is not"),
        ({"time": None}, "time must be"),
        ({"data": {"baseType": "PageViewData", "baseData": {}}}, "'PageViewData' is not covered"),
        ({"data": []}, "data must be an object"),
        ({"tags": "none"}, "tags must be an object"),
        ({"sampleRate": 0}, "sampleRate must be"),
    ],
)
def test_a_bad_envelope_is_refused_by_index_and_the_others_are_kept(
    insights: Insights, broken: dict[str, Any], reason: str
) -> None:
    name = f"beside {reason}"
    good = _envelope("EventData", {"name": name})

    answer = insights.http.post("/v2.1/track", json=[good, good | broken, good])

    assert answer.status_code == 206
    assert (answer.json()["itemsReceived"], answer.json()["itemsAccepted"]) == (3, 2)
    (refused,) = answer.json()["errors"]
    assert (refused["index"], refused["statusCode"]) == (1, 400)
    assert reason in refused["message"]
    quoted = name.replace("'", "\\'")
    assert insights.rows(f"customEvents | where name == '{quoted}' | count") == [[2]]


def test_live_metrics_are_told_that_nobody_watches(insights: Insights) -> None:
    answer = insights.http.post("/QuickPulseService.svc/ping?ikey=x", json=[])

    assert answer.status_code == 200
    assert answer.headers["x-ms-qps-subscribed"] == "false"
