"""One stack for all tests of evaluation: local Azure, two processes of the app, a judge that can be made to fail."""

import os
from collections.abc import Iterator

import httpx2
import pytest

from evals.stack import JudgedStack
from tests.acceptance.evaluation.support import JUDGE_SECONDS, SHARE
from tests.acceptance.stack import OPERATOR
from tests.datasets import DEFAULT

SETTINGS = {
    "SPILLWAY_SAMPLE_SHARE": str(SHARE),
    "SPILLWAY_DATASETS": os.environ.get("SPILLWAY_DATASETS", str(DEFAULT)),
    "SPILLWAY_JUDGE_SECONDS": str(JUDGE_SECONDS),
    "SPILLWAY_LEASE_SECONDS": "3",
    "SPILLWAY_CHECKPOINT_SECONDS": "0.5",
}


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgedStack]:
    """The stack. Locks are short, so that the work of a killed process is found soon."""
    stack = JudgedStack(
        tmp_path_factory.mktemp("evaluation"),
        settings=SETTINGS,
        host_options=("--instances", "2"),
        lock="PT5S",
        durable=False,
        insights=True,
    )
    try:
        stack.start()
        stack.seed()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def operator(stack: JudgedStack) -> Iterator[httpx2.Client]:
    """An operator of contoso, and a judge without faults."""
    stack.judge_calm()
    with stack.client(OPERATOR) as client:
        yield client
    stack.judge_calm()
