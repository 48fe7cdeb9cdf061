"""What was acknowledged survives kill -9; what is too old or too much is forgotten."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.insights.client import Insights
from tests.contract.insights.workload import envelope
from tests.processes import running, start

_NOW = datetime.now(UTC)


def _events(prefix: str, count: int, at: datetime = _NOW) -> list[dict[str, object]]:
    return [envelope("EventData", at, {"name": f"{prefix}-{number}"}) for number in range(count)]


def test_acknowledged_telemetry_survives_kill_9(tmp_path: Path) -> None:
    arguments = ("local.insights", "--port", "0", "--data", str(tmp_path / "data"))
    for round_number in range(2):
        service = start(*arguments, folder=tmp_path)
        client = Insights(service.url)
        assert client.rows("customEvents | count") == [[round_number * 200]]
        for part in range(4):
            client.send(_events(f"{round_number}-{part}", 50))
        service.kill()
        client.close()
    with running(*arguments, folder=tmp_path) as service:
        client = Insights(service.url)
        assert client.rows("customEvents | summarize dcount(name), count()") == [[400, 400]]
        client.close()


def test_a_clean_stop_ends_with_success_and_keeps_everything(tmp_path: Path) -> None:
    arguments = ("local.insights", "--port", "0", "--data", str(tmp_path / "data"))
    service = start(*arguments, folder=tmp_path)
    client = Insights(service.url)
    client.send(_events("kept", 10))
    client.close()

    assert service.stop() == 0
    with running(*arguments, folder=tmp_path) as again:
        client = Insights(again.url)
        assert client.rows("customEvents | count") == [[10]]
        client.close()


def test_a_second_process_on_the_same_folder_says_that_it_is_in_use(tmp_path: Path) -> None:
    arguments = ("local.insights", "--port", "0", "--data", str(tmp_path / "data"))
    with running(*arguments, folder=tmp_path), pytest.raises(RuntimeError, match="Cannot open"):
        start(*arguments, folder=tmp_path, name="second")


def test_rows_beyond_the_limits_are_forgotten(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running("local.insights", "--port", "0", "--data", data, folder=tmp_path) as service:
        client = Insights(service.url)
        client.send(_events("old", 5, _NOW - timedelta(hours=30)))
        client.send(_events("early", 50, _NOW - timedelta(hours=2)))
        client.send(_events("late", 50))
        client.close()
    limits = ("--retain-hours", "24", "--max-rows", "60")
    with running("local.insights", "--port", "0", "--data", data, *limits, folder=tmp_path) as service:
        client = Insights(service.url)
        kept = client.rows(
            "customEvents | summarize count() by which = tostring(split(name, '-')[0]) | order by which asc"
        )
        expired = client.account()["writer"]["expired_rows"]
        client.close()

    assert kept == [["early", 10], ["late", 50]]
    assert expired == 45
