"""Service Bus functions that write down what they are given, one JSON line each, into the file of `RECORD_FILE`."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import List  # noqa: UP035  the worker refuses list[...]

import azure.functions as func

app = func.FunctionApp()
_running: set[str] = set()


def record(**fields: object) -> None:
    line = json.dumps({"instance": os.environ["WEBSITE_INSTANCE_ID"], "at": time.time(), **fields}, default=str)
    with Path(os.environ["RECORD_FILE"]).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


@app.service_bus_queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="Bus")
async def work(message: func.ServiceBusMessage, context: func.Context) -> None:
    order = json.loads(message.get_body())
    _running.add(context.invocation_id)
    try:
        record(
            event="start",
            function=context.function_name,
            running=len(_running),
            order=order,
            message_id=message.message_id,
            delivery_count=message.delivery_count,
            metadata=message.metadata,
            properties=message.application_properties,
            expires_zone=message.expires_at_utc.tzinfo,
            time_to_live=message.time_to_live,
            trace=context.trace_context.trace_parent,
        )
        await asyncio.sleep(order.get("seconds", 0))
        if message.delivery_count <= order.get("failures", 0):
            raise RuntimeError("as the order asks")
        record(event="end", message_id=message.message_id)
    except asyncio.CancelledError:
        record(event="cancelled", message_id=message.message_id)
        raise
    finally:
        _running.discard(context.invocation_id)


@app.service_bus_queue_trigger(arg_name="message", queue_name="talks", connection="Bus", is_sessions_enabled=True)
async def talk(message: func.ServiceBusMessage) -> None:
    record(event="talk", session=message.session_id, body=message.get_body().decode())
    await asyncio.sleep(0.02)


@app.service_bus_queue_trigger(
    arg_name="messages", queue_name="batches", connection="Bus", cardinality=func.Cardinality.MANY
)
def batch(messages: List[func.ServiceBusMessage]) -> None:  # noqa: UP006
    bodies = [message.get_body().decode() for message in messages]
    record(event="batch", bodies=bodies, counts=[message.delivery_count for message in messages])
    if "bad" in bodies and messages[0].delivery_count == 1:
        raise RuntimeError("one of them is bad")


@app.service_bus_queue_trigger(arg_name="body", queue_name="work/$DeadLetterQueue", connection="Bus")
async def bury(body: str) -> None:
    record(event="bury", body=body)
