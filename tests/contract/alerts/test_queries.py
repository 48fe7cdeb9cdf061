"""Alert queries are what Azure takes: Microsoft's parser binds them, and their findings can be told apart."""

import pytest

from infra.alerts.ask import ask
from infra.alerts.table import Alert
from tests.contract.alerts.conftest import ALERTS
from tests.kql_oracle import KqlOracle
from tests.processes import Service


@pytest.mark.javascript
@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_the_official_binder_takes_the_query(alert: Alert, oracle: KqlOracle) -> None:
    verdict = oracle.check(alert.query)

    assert verdict.errors == ()
    assert {(column, "string") for column in alert.split} <= set(verdict.columns)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_the_query_runs_where_there_is_no_telemetry_and_finds_nothing(alert: Alert, insights: Service) -> None:
    assert not ask(insights.url, alert, at="2020-01-01T00:00:00Z").fires
