"""A running service per module, and the query oracle for the tests that compare with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.insights.schema import query_schema
from tests.contract.insights.client import Insights
from tests.kql_oracle import KqlOracle, node_is_missing
from tests.processes import Service, running

KEEP_EVERYTHING = ("--retain-hours", "900000")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("insights")
    with running("local.insights", "--port", "0", *KEEP_EVERYTHING, folder=folder) as started:
        yield started


@pytest.fixture(scope="module")
def insights(service: Service) -> Iterator[Insights]:
    client = Insights(service.url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def oracle() -> Iterator[KqlOracle]:
    missing = node_is_missing()
    if missing:
        pytest.skip(missing)
    with KqlOracle(query_schema()) as started:
        yield started
