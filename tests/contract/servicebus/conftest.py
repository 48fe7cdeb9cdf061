"""One broker process for the whole folder, and a fresh queue for every test that asks for one."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from azure.servicebus import ServiceBusClient
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient
from azure.servicebus.aio import ServiceBusReceiver, ServiceBusSender

from tests.processes import Service, running

QUEUES_PER_KIND = 120
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"LockDuration": "PT1M", "MaxDeliveryCount": 3},
    "short-lock": {"LockDuration": "PT2S", "MaxDeliveryCount": 3},
    "expiring": {"DefaultMessageTimeToLive": "PT1S", "DeadLetteringOnMessageExpiration": True},
    "forgetting": {"DefaultMessageTimeToLive": "PT1S", "DeadLetteringOnMessageExpiration": False},
    "unique": {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT2S"},
    "sessions": {"LockDuration": "PT1M", "RequiresSession": True, "MaxDeliveryCount": 3},
    "short-sessions": {"LockDuration": "PT2S", "RequiresSession": True, "MaxDeliveryCount": 3},
}

QueueNames = Callable[[str], str]


def connection_string(port: int, key: str = "SAS_KEY_VALUE") -> str:
    """What an application is configured with to use the local service."""
    return (
        f"Endpoint=sb://localhost:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        f"SharedAccessKey={key};UseDevelopmentEmulator=true"
    )


def write_config(file: Path, queues: dict[str, dict[str, Any]]) -> Path:
    """Writes queues in the emulator's format."""
    entries = [{"Name": name, "Properties": properties} for name, properties in queues.items()]
    namespace = {"Name": "sbemulatorns", "Queues": entries, "Topics": []}
    file.write_text(json.dumps({"UserConfig": {"Namespaces": [namespace]}}), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A broker in memory with queues of every kind."""
    folder = tmp_path_factory.mktemp("servicebus")
    queues = {f"{kind}-{number}": properties for kind, properties in KINDS.items() for number in range(QUEUES_PER_KIND)}
    config = write_config(folder / "config.json", queues)
    with running("local.servicebus", "--port", "0", "--config", str(config), folder=folder) as started:
        yield started
        assert started.stop() == 0
        assert "Traceback" not in started.log.read_text()


@pytest.fixture(scope="session")
def _numbers() -> dict[str, Iterator[int]]:
    return {kind: itertools.count() for kind in KINDS}


@pytest.fixture(scope="session")
def fresh_queue(_numbers: dict[str, Iterator[int]]) -> QueueNames:
    """Names of queues that no other test uses, by kind."""
    return lambda kind: f"{kind}-{next(_numbers[kind])}"


@pytest.fixture
def client(service: Service) -> Iterator[ServiceBusClient]:
    """The official client."""
    with ServiceBusClient.from_connection_string(connection_string(service.port), retry_total=0) as opened:
        yield opened


@dataclass(slots=True, frozen=True)
class Desk:
    """A fresh queue with an open sender, an open receiver and an open receiver of its dead letters.

    The receiver of a queue with sessions is not open: it takes a session to open one.
    """

    queue: str
    client: AsyncServiceBusClient
    sender: ServiceBusSender
    receiver: ServiceBusReceiver
    dead: ServiceBusReceiver


Desks = Callable[[str], Desk]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(service: Service, fresh_queue: QueueNames, request: pytest.FixtureRequest) -> AsyncIterator[Desks]:
    """Hands out desks by kind of queue. The module's DESKS says how many of each its tests use.

    They are opened and closed together, because the SDK takes about a second to open and close one handler.
    """
    wanted: dict[str, int] = request.module.DESKS
    async with AsyncServiceBusClient.from_connection_string(connection_string(service.port), retry_total=0) as client:
        ready = {kind: [_desk(client, fresh_queue(kind)) for _ in range(count)] for kind, count in wanted.items()}
        handlers = [handler for kind, each in ready.items() for desk in each for handler in _handlers(kind, desk)]
        async with contextlib.AsyncExitStack() as stack:
            await asyncio.gather(*(handler.__aenter__() for handler in handlers))
            stack.push_async_callback(asyncio.gather, *(_closing(handler) for handler in handlers))
            yield lambda kind: ready[kind].pop()


def _desk(client: AsyncServiceBusClient, queue: str) -> Desk:
    return Desk(
        queue,
        client,
        client.get_queue_sender(queue),
        client.get_queue_receiver(queue),
        client.get_queue_receiver(queue, sub_queue="deadletter"),
    )


def _handlers(kind: str, desk: Desk) -> list[ServiceBusSender | ServiceBusReceiver]:
    return [desk.sender, desk.dead] if "sessions" in kind else [desk.sender, desk.dead, desk.receiver]


async def _closing(handler: ServiceBusSender | ServiceBusReceiver) -> None:
    await handler.close()


Accept = Callable[..., Awaitable[ServiceBusReceiver]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def accept() -> AsyncIterator[Accept]:
    """Opens a receiver of a session; all of them are closed together at the end."""
    opened: list[ServiceBusReceiver] = []

    async def accept_session(desk: Desk, session_id: Any, **options: Any) -> ServiceBusReceiver:
        receiver = desk.client.get_queue_receiver(desk.queue, session_id=session_id, **options)
        opened.append(receiver)
        return await receiver.__aenter__()

    yield accept_session
    await asyncio.gather(*(_closing(receiver) for receiver in opened))


Scenario = Callable[[Desks, Accept], Awaitable[None]]
Failures = dict[str, Exception | None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def failures(desks: Desks, accept: Accept, request: pytest.FixtureRequest) -> Failures:
    """Runs the module's SCENARIOS side by side, because they mostly wait, and says what each ended with."""
    scenarios: list[Scenario] = request.module.SCENARIOS

    async def run(scenario: Scenario) -> Exception | None:
        try:
            await scenario(desks, accept)
        except Exception as failure:  # noqa: BLE001  # the test of this scenario raises it
            return failure
        return None

    results = await asyncio.gather(*(run(scenario) for scenario in scenarios))
    return {scenario.__name__: result for scenario, result in zip(scenarios, results, strict=True)}
