"""One running service for each test module, reset before each test."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.openai_service.support import CONFIGURATION, KEY, Raw
from tests.processes import Service, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("openai")
    config = folder / "deployments.json"
    config.write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    arguments = ("--port", "0", "--config", str(config), "--key", KEY, "--seed", "7")
    with running("local.openai", *arguments, folder=folder) as started:
        yield started


@pytest.fixture
def raw(service: Service) -> Raw:
    found = Raw(service.url)
    found.reset()
    return found
