"""A broker that goes away takes its connections along: no socket stays open at those who had one."""

import asyncio
import gc
import logging
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage

from shared.adapters.service_bus_connection import ServiceBusConnection
from shared.errors import Unavailable
from tests.contract.servicebus.conftest import connection_string, write_config
from tests.processes import running

HANDLES = Path("/proc/self/fd")
QUEUES = ("one", "two", "three")


def sockets() -> int:
    return sum(str(handle.readlink()).startswith("socket:") for handle in HANDLES.iterdir() if handle.exists())


# That the SDK has left writers open is what this is about.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.skipif(not HANDLES.exists(), reason="only Linux says which files a process has open")
async def test_connections_to_a_broker_that_died_are_closed_at_this_end_too(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.json", {queue: {} for queue in QUEUES})
    # Log records that pytest keeps would hold what failed.
    logging.disable()
    gc.collect()
    gc.disable()
    before = sockets()
    with running("local.servicebus", "--port", "0", "--config", str(config), folder=tmp_path) as broker:
        connection = ServiceBusConnection(connection_string(broker.port), None, None, collect_seconds=0.0)
        for queue in QUEUES:
            await connection.sender(queue).send(ServiceBusMessage("hello"))
        assert sockets() >= before + len(QUEUES)
        broker.process.kill()
    try:
        for queue in QUEUES:
            with pytest.raises(Unavailable):
                await connection.sender(queue).send(ServiceBusMessage("hello"))
        # The collector runs, and what it finds is closed.
        for _ in range(3):
            await asyncio.sleep(0)
        left = sockets() - before
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)
        await connection.close()
        gc.collect()
        await asyncio.sleep(0)

    assert left <= 0
