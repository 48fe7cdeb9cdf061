"""One memory for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.telemetry.otel import Memory


@pytest.fixture
def memory() -> Iterator[Memory]:
    memory = Memory()
    yield memory
    memory.close()
