"""The official Azure Monitor exporter runs unmodified against the service, and its telemetry can be asked for."""

import os
import subprocess
import sys

import pytest

from tests.contract.insights.client import Insights
from tests.processes import ROOT, Service

_QUIET = {
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel",
    "OTEL_TRACES_SAMPLER": "always_on",
    "OTEL_SERVICE_NAME": "spillway",
}


@pytest.fixture(scope="module", autouse=True)
def _emitted(service: Service) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.contract.insights.emit", service.ready["connection_string"]],
        cwd=ROOT,
        env={**os.environ, **_QUIET},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_span_is_a_request_with_dimensions_and_measurements(insights: Insights) -> None:
    assert insights.rows(
        """requests | project name, success, resultCode, cloud_RoleName, tenant = tostring(customDimensions.tenant),
        wait = todouble(customMeasurements.queue_wait_ms), itemCount"""
    ) == [["POST /api/chat", True, "200", "spillway", "acme", 12.5, 1]]


def test_a_client_span_is_a_dependency_of_that_request(insights: Insights) -> None:
    assert insights.rows(
        """dependencies | join kind=inner (requests | project operation_Id, request = id) on operation_Id
        | project name, type, success, child = operation_ParentId == request"""
    ) == [["chat gpt-4o", "GenAI | azure.ai.openai", False, True]]


def test_a_log_record_is_a_trace_of_the_same_operation(insights: Insights) -> None:
    assert insights.rows(
        """traces | where message startswith "retry" | join kind=inner requests on operation_Id
        | project message, severityLevel, tostring(customDimensions.tenant)"""
    ) == [["retry 1 of 3", 2, "acme"]]


def test_a_custom_event_is_an_event_with_measurements(insights: Insights) -> None:
    assert insights.rows(
        """customEvents | project name, metric = tostring(customDimensions["gen_ai.evaluation.name"]),
        score = todouble(customMeasurements.score)"""
    ) == [["gen_ai.evaluation.result", "coherence", 4.5]]


def test_a_recorded_exception_is_an_exception(insights: Insights) -> None:
    assert insights.rows("exceptions | project type, outerMessage") == [["ValueError", "boom"]]


def test_histograms_and_counters_are_metrics(insights: Insights) -> None:
    assert insights.rows(
        """customMetrics | where name startswith "chat."
        | project name, valueSum, valueCount, valueMin, valueMax | order by name asc"""
    ) == [["chat.tokens", 11.0, 1, 11.0, 11.0], ["chat.ttft_ms", 540.0, 2, 200.0, 340.0]]
