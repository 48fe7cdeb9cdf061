"""Sends numbered messages, and prints a number once it was acknowledged: `python send_until_killed.py CONNECTION`."""

import sys

from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

with (
    ServiceBusClient.from_connection_string(sys.argv[1], retry_total=0) as client,
    client.get_queue_sender("plain") as sender,
):
    for number in range(100_000):
        try:
            sender.send_messages([ServiceBusMessage(f"{number}-{index}") for index in range(3)])
        except ServiceBusError:
            break
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
