"""How the app's telemetry is set up here: everything goes to the local Application Insights, nothing elsewhere."""

from pathlib import Path
from typing import Any

LOGGER_NAME = "spillway"
INSTRUMENTED_ELSEWHERE = "azure_sdk,django,fastapi,flask,httpx,httpx2,psycopg2,requests,urllib,urllib3"
"""Libraries that would trace what the app and the host trace already, and every relay message besides."""


def telemetry_settings(insights: dict[str, Any], folder: Path) -> dict[str, str]:
    """The app settings that switch telemetry on.

    Args:
        insights: What the local Application Insights said when it became ready.
        folder: For temporary files, among them what the exporter could not send; made here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights["connection_string"],
        "SPILLWAY_QUERY_ENDPOINT": f"{insights['url']}/v1/apps/local/query",
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
        "PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME": LOGGER_NAME,
        "OTEL_SERVICE_NAME": "spillway",
        # Unset, the sampler would keep five traces a second.
        "OTEL_TRACES_SAMPLER": "microsoft.fixed_percentage",
        "OTEL_TRACES_SAMPLER_ARG": "1.0",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": INSTRUMENTED_ELSEWHERE,
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        "OTEL_BLRP_MAX_QUEUE_SIZE": "16384",
        "OTEL_BSP_MAX_QUEUE_SIZE": "16384",
        # Each of these would look up or call an address outside this machine, or count the exporter's own work.
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
        "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
        "TMPDIR": str(folder),
    }
