"""What a link costs besides its messages."""

import logging
import ssl
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver
from azure.servicebus.exceptions import ServiceBusConnectionError

from local.host.bus.listener import listen_rarely
from shared.adapters.service_bus_connection import KEEP_ALIVE_SECONDS, ServiceBusConnection
from shared.adapters.service_bus_relay import ServiceBusRelay
from shared.events import News
from tests.contract.servicebus.conftest import connection_string, write_config
from tests.processes import running

IDLE = ("--port", "0", "--link-idle-seconds", "1")
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


async def test_a_link_that_nobody_uses_is_detached_and_no_message_is_lost_by_it(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.json", {"one": {}})
    with running("local.servicebus", *IDLE, "--config", str(config), folder=tmp_path) as broker:
        async with (
            ServiceBusClient.from_connection_string(connection_string(broker.port), retry_backoff_factor=0.1) as client,
            client.get_queue_sender("one") as sender,
            client.get_queue_receiver("one") as receiver,
        ):
            await sender.send_messages(ServiceBusMessage("first"))
            found = [await receiver_text(receiver)]
            with pytest.raises(ServiceBusConnectionError, match="detach-forced"):
                await anext(receiver)
            # The SDK finds out only now, and opens the link again.
            await sender.send_messages(ServiceBusMessage("second"))
            found.append(await receiver_text(receiver))

    assert found == ["first", "second"]


async def test_our_links_are_renewed_before_the_service_detaches_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = write_config(tmp_path / "config.json", {"replies": {"RequiresSession": True}})
    with running("local.servicebus", *IDLE, "--config", str(config), folder=tmp_path) as broker:
        connection = ServiceBusConnection(connection_string(broker.port), None, None, idle_seconds=0.6)
        relay = ServiceBusRelay(connection)
        found: list[str] = []
        for text in ("first", "second"):
            await relay.send("http-1", [News("turn", 1, 0, text)])
            # Ends by itself after a silence that the service would have ended.
            found += [news.text async for batch in relay.listen("http-1") for news in batch]
        await connection.close()

    assert found == ["first", "second"]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def receiver_text(receiver: ServiceBusReceiver) -> str:
    message = await anext(receiver)
    await receiver.complete_message(message)
    return str(message)
