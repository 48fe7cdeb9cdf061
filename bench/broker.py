"""Messages a second and latency of `local/servicebus`, from one process with the official SDK."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceiveMode

from bench.machine import machine, percentiles, write
from tests.processes import running

QUEUE = "chat-standard"
BODY = b"x" * 1024
BATCHED, SINGLE, COMPLETED = 10_000, 1_000, 3_000


def connection_string(port: int) -> str:
    """The emulator's form."""
    return (
        f"Endpoint=sb://localhost:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true"
    )


def rate(count: int, work: Callable[[], None]) -> float:
    """Operations a second."""
    began = time.perf_counter()
    work()
    return round(count / (time.perf_counter() - began), 1)


def measure(port: int) -> dict[str, Any]:
    """All figures for one broker."""
    latencies: list[float] = []
    with ServiceBusClient.from_connection_string(connection_string(port)) as client:
        with client.get_queue_sender(QUEUE) as sender:

            def batched() -> None:
                for _ in range(BATCHED // 100):
                    sender.send_messages([ServiceBusMessage(BODY) for _ in range(100)])

            def single() -> None:
                for _ in range(SINGLE):
                    began = time.perf_counter()
                    sender.send_messages(ServiceBusMessage(BODY))
                    latencies.append((time.perf_counter() - began) * 1000)

            rates = {"batched_sends": rate(BATCHED, batched), "single_sends": rate(SINGLE, single)}
        with client.get_queue_receiver(QUEUE, prefetch_count=200) as receiver:

            def complete() -> None:
                done = 0
                while done < COMPLETED:
                    for message in receiver.receive_messages(max_message_count=100, max_wait_time=5):
                        receiver.complete_message(message)
                        done += 1

            rates["receive_and_complete"] = rate(COMPLETED, complete)
        mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
        with client.get_queue_receiver(QUEUE, prefetch_count=500, receive_mode=mode) as receiver:
            left = BATCHED + SINGLE - COMPLETED - 500

            def delete() -> None:
                done = 0
                while done < left:
                    done += len(receiver.receive_messages(max_message_count=500, max_wait_time=5))

            rates["receive_and_delete"] = rate(left, delete)
    return {"messages_per_second": rates, "send_round_trip_ms": percentiles(latencies, 50, 95, 99)}


def run() -> dict[str, Any]:
    """With the journal and without."""
    result: dict[str, Any] = {
        "machine": machine(),
        "conditions": "one process with azure-servicebus (sync), bodies of 1 KB, batches of 100, prefetch 200",
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, options in (("journal", ("--data", f"{folder}/data")), ("memory", ())):
            with running("local.servicebus", "--port", "0", *options, folder=Path(folder), name=name) as broker:
                result[name] = measure(broker.port)
    write("broker", result)
    return result
