"""What a link costs besides its messages."""

import ssl
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage

from shared.adapters.service_bus_connection import ServiceBusConnection
from tests.contract.servicebus.conftest import connection_string, write_config
from tests.processes import running

QUEUES = ("one", "two", "three")


async def test_certificates_are_loaded_once_for_all_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    for way in ("load_default_certs", "load_verify_locations"):
        monkeypatch.setattr(ssl.SSLContext, way, lambda *_, way=way, **__: loaded.append(way))
    config = write_config(tmp_path / "config.json", {queue: {} for queue in QUEUES})
    with running("local.servicebus", "--port", "0", "--config", str(config), folder=tmp_path) as broker:
        connection = ServiceBusConnection(connection_string(broker.port), None, None)
        for queue in QUEUES:
            await connection.sender(queue).send(ServiceBusMessage("hello"))
        await connection.close()

    assert len(loaded) == 1
