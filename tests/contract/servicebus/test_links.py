"""What a link costs besides its messages."""

import ssl
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from local.host.bus.listener import listen_rarely
from shared.adapters.service_bus_connection import KEEP_ALIVE_SECONDS, ServiceBusConnection
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


async def test_the_sdk_listens_on_idle_links_as_rarely_as_it_is_told(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.json", {"one": {}})
    with running("local.servicebus", "--port", "0", "--config", str(config), folder=tmp_path) as broker:
        async with (
            ServiceBusClient.from_connection_string(connection_string(broker.port)) as client,
            client.get_queue_sender("one", keep_alive=KEEP_ALIVE_SECONDS) as sender,
            client.get_queue_receiver("one", prefetch_count=50, keep_alive=KEEP_ALIVE_SECONDS) as relay,
            client.get_queue_receiver("one", keep_alive=KEEP_ALIVE_SECONDS) as untold,
        ):
            # The local host sets it from outside for as long as the SDK does not take the option here.
            assert vars(untold._handler)["_keep_alive_interval"] == 5
            listen_rarely(untold)
            intervals = [vars(link._handler)["_keep_alive_interval"] for link in (sender, relay, untold)]

    assert intervals == [KEEP_ALIVE_SECONDS] * 3
