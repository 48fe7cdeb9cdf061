"""The package, unpacked where nothing else is, and local Azure for it to talk to."""

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import package
from tests.acceptance.stack import Stack, deployments


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of an environment that holds what Azure installs for the app, and nothing else."""
    folder = os.environ.get("SPILLWAY_CLEAN_ENVIRONMENT")
    if folder is None or sys.version_info < (3, 13):
        pytest.skip("these tests run with `make test-deployed`")
    return Path(folder) / "bin" / "python"


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked package."""
    folder = tmp_path_factory.mktemp("package")
    archive = folder / "spillway.zip"
    package.build(archive)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder / "app")
    return folder / "app"


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Broker, store and model; the app is not started."""
    # Slow enough that an answer has to arrive in many pieces.
    models = deployments(between_tokens_ms=15, answer_tokens=40)
    stack = Stack(tmp_path_factory.mktemp("azure"), durable=False, models=models)
    try:
        yield stack.start_services()
    finally:
        stack.stop()
