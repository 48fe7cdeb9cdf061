"""One Application Insights for all replays, each of which lives in days of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.alerts.table import Alert, load
from local.insights.schema import query_schema
from local.run.telemetry import telemetry_settings
from tests.kql_oracle import KqlOracle, node_is_missing
from tests.processes import Service, running

ALERTS = {alert.name: alert for alert in load()}


@pytest.fixture(scope="package")
def insights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("alerts")
    with running("local.insights", "--port", "0", "--retain-hours", "900000", folder=folder) as service:
        settings = telemetry_settings(service.ready, folder / "temporary")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings.items():
                # The exporters of a replay make no calls but the one to the ingestion endpoint.
                if name.startswith(("APPLICATIONINSIGHTS_", "OTEL_EXPERIMENTAL")):
                    patch.setenv(name, value)
            yield service


@pytest.fixture(scope="session")
def oracle() -> Iterator[KqlOracle]:
    missing = node_is_missing()
    if missing:
        pytest.skip(missing)
    with KqlOracle(query_schema()) as started:
        yield started


def minutes_of(duration: str) -> int:
    """Minutes of an ISO 8601 duration as the table has them: PT5M, PT1H, P1D."""
    unit = {"M": 1, "H": 60, "D": 1440}[duration[-1]]
    return int(duration.strip("PTMHD")) * unit


def paging() -> list[Alert]:
    return [alert for alert in ALERTS.values() if alert.pages]
