"""One stack for the tests that leave it as they found it, and one a file for those of the answer cache."""

import time
from collections.abc import Iterator

import pytest

from tests.acceptance.caching import RETURNS, SETTINGS, SETTLED_SECONDS, Running, models
from tests.acceptance.stack import OPERATOR, Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        yield stack.start()
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("cached")
    options = ("--instances", "http=1", "--instances", "function:answer_interactive=1")
    stack = Stack(folder, models=models(), settings=SETTINGS, host_options=options, durable=False)
    try:
        stack.start()
        with stack.client(OPERATOR) as operator:
            operator.put("/api/knowledge", json={"documents": [RETURNS]}).raise_for_status()
        yield Running(stack, time.monotonic())
    finally:
        stack.stop()


@pytest.fixture
def cached(keeping: Running) -> Stack:
    return keeping.stack


@pytest.fixture
def settled(keeping: Running) -> Stack:
    """Nothing is kept in the first seconds of new knowledge."""
    time.sleep(max(0.0, keeping.stored_at + SETTLED_SECONDS - time.monotonic()))
    return keeping.stack
