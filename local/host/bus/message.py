"""From the SDK's received message to the azure.functions.ServiceBusMessage that a function gets.

The real host sends a body and "trigger metadata" to the worker, where Microsoft's converter builds the message from
them. This module makes the same metadata as version 5 of the Service Bus extension (ServiceBusTriggerBindingStrategy)
and leaves the rest to that converter, so that a property the platform does not send is None here too.
"""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from typing import Any

from azure.functions.meta import Datum
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.amqp import AmqpMessageBodyType

from local.host.app.functions import SERVICE_BUS, Function, converter
from local.host.app.invocation import Trace

_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def argument_for(function: Function, messages: Sequence[ServiceBusReceivedMessage], *, many: bool) -> Any:
    """The value for a trigger's parameter.

    Args:
        function: Whose parameter.
        messages: One message, or a batch with `many`.
        many: Cardinality.

    Raises:
        ValueError: A body is no AMQP data section; Azure's extension refuses that too.
        UnicodeDecodeError: The parameter is annotated `str` and a body is no UTF-8.
    """
    bodies = [_body(message) for message in messages]
    if function.raw_body is not None:
        values = [body.decode() if function.raw_body is str else body for body in bodies]
        return values if many else values[0]
    decoder = converter(SERVICE_BUS)
    metadata = [_metadata(message) for message in messages]
    if many:
        data = Datum(type="collection_bytes", value=_Collection(bodies))
        return decoder.decode(data, trigger_metadata=_arrays(metadata))
    one = {name: _datum(value) for name, value in metadata[0].items() if value is not None}
    return decoder.decode(Datum(type="bytes", value=bodies[0]), trigger_metadata=one)


def trace_of(message: ServiceBusReceivedMessage) -> Trace:
    """The W3C headers among a message's application properties; `Diagnostic-Id` is the SDKs' older name."""
    properties = application_properties(message)
    parent = properties.get("traceparent") or properties.get("Diagnostic-Id") or ""
    return Trace(str(parent), str(properties.get("tracestate") or ""))


def application_properties(message: ServiceBusReceivedMessage) -> dict[str, Any]:
    """Application properties with texts where the SDK has bytes."""
    return {_text(name): _text(value) for name, value in (message.application_properties or {}).items()}


class _Collection:
    """Stands for the repeated field of the worker's protocol."""

    def __init__(self, values: list[bytes]) -> None:
        self.bytes = values


def _body(message: ServiceBusReceivedMessage) -> bytes:
    if message.body_type is not AmqpMessageBodyType.DATA:
        raise ValueError(f"The message {message.message_id} has no AMQP data body; triggers take no other kind.")
    return b"".join(message.body)


def _metadata(message: ServiceBusReceivedMessage) -> dict[str, Any]:
    """What the extension puts into the binding data, under its names; None where a property is not set."""
    properties = application_properties(message)
    subject = message.subject
    return {
        # The .NET SDK counts this delivery too, the Python SDK and the wire do not.
        "DeliveryCount": (message.delivery_count or 0) + 1,
        "DeadLetterSource": message.dead_letter_source,
        "LockToken": str(message.lock_token),
        "ExpiresAtUtc": _utc(message.expires_at_utc or _NEVER),
        "ExpiresAt": _offset(message.expires_at_utc or _NEVER),
        "EnqueuedTimeUtc": _utc(message.enqueued_time_utc),
        "EnqueuedTime": _offset(message.enqueued_time_utc),
        "MessageId": _optional_text(message.message_id),
        "ContentType": message.content_type,
        "ReplyTo": message.reply_to,
        "SequenceNumber": message.sequence_number,
        "To": message.to,
        "Subject": subject,
        "Label": subject,
        "CorrelationId": _optional_text(message.correlation_id),
        "ApplicationProperties": properties,
        "UserProperties": properties,
        "SessionId": message.session_id,
        "ReplyToSessionId": message.reply_to_session_id,
        "PartitionKey": message.partition_key,
        "TransactionPartitionKey": None,
    }


def _arrays(metadata: list[dict[str, Any]]) -> dict[str, Datum]:
    """The metadata of a batch: one JSON array per property."""
    return {f"{name}Array": _json([row[name] for row in metadata]) for name in metadata[0]}


def _datum(value: Any) -> Datum:
    return Datum(type="string", value=value) if isinstance(value, str) else _json(value)


def _json(value: Any) -> Datum:
    return Datum(type="json", value=json.dumps(value, default=_encode))


def _encode(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return _offset(value) or ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, uuid.UUID | dt.timedelta):
        return str(value)
    raise TypeError(f"An application property of type {type(value).__name__} cannot be given to a function.")


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _optional_text(value: Any) -> str | None:
    return None if value is None else str(_text(value))


def _utc(time: dt.datetime | None) -> str | None:
    """A .NET DateTime of unspecified kind, as the extension sends its `...Utc` properties: no zone is written."""
    return None if time is None else time.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _offset(time: dt.datetime | None) -> str | None:
    return None if time is None else time.astimezone(dt.UTC).isoformat(timespec="microseconds")
