"""Sends numbered batches until one fails: `python send_until_refused.py CONNECTION_STRING BODY_BYTES`.

The number of a batch is printed once it was acknowledged.
"""

import sys

from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

padding = "x" * int(sys.argv[2])
with (
    ServiceBusClient.from_connection_string(sys.argv[1], retry_total=0) as client,
    client.get_queue_sender("plain") as sender,
):
    for number in range(100_000):
        try:
            sender.send_messages([ServiceBusMessage(f"{number}-{index}{padding}") for index in range(3)])
        except ServiceBusError:
            break
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
