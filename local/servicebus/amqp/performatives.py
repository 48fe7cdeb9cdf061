"""The performatives of part 2, section 2.7: what the peer says, as values, and what it is told, as bytes.

Outgoing lists are always padded to their full number of fields, because some clients read fields by position.
"""

import struct
from dataclasses import dataclass
from typing import Any

from local.servicebus.amqp.decoder import decode
from local.servicebus.amqp.encoder import FALSE, NULL, TRUE, described, encode, encoded_list, uint
from local.servicebus.amqp.errors import AmqpError, DecodeError
from local.servicebus.amqp.types import Described, Symbol, UShort

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
SASL_MECHANISMS, SASL_INIT, SASL_CHALLENGE, SASL_RESPONSE, SASL_OUTCOME = range(0x40, 0x45)

ACCEPTED = described(0x24, b"\x45")
REJECTED = described(0x25, b"\x45")
RELEASED = described(0x26, b"\x45")

_NAMES = {
    "amqp:open:list": OPEN,
    "amqp:begin:list": BEGIN,
    "amqp:attach:list": ATTACH,
    "amqp:flow:list": FLOW,
    "amqp:transfer:list": TRANSFER,
    "amqp:disposition:list": DISPOSITION,
    "amqp:detach:list": DETACH,
    "amqp:end:list": END,
    "amqp:close:list": CLOSE,
}
_FIELD_COUNTS = {OPEN: 10, BEGIN: 8, ATTACH: 14, FLOW: 11, TRANSFER: 11, DISPOSITION: 6, DETACH: 3, END: 1, CLOSE: 1}
_TRANSFER_HEAD = b"\x00\x53\x14\xc0"
_TRANSFER_TAIL = NULL * 5
_DELIVERY_ID = struct.Struct(">BI").pack


@dataclass(slots=True, frozen=True)
class Performative:
    """A decoded performative.

    Attributes:
        code: Numeric descriptor, for example ATTACH.
        fields: All fields the specification lists, None where the peer left one out.
        payload: What follows the performative in the frame (a transfer's message bytes).
        size: Encoded size of the performative itself.
    """

    code: int
    fields: list[Any]
    payload: bytes
    size: int


def read_performative(body: bytes) -> Performative:
    """Decodes the body of an AMQP frame.

    Raises:
        DecodeError: It is not a performative.
    """
    value, end = decode(body)
    if not isinstance(value, Described) or not isinstance(value.value, list):
        raise DecodeError("A frame does not start with a performative.")
    descriptor = value.descriptor
    code = _NAMES.get(descriptor, -1) if isinstance(descriptor, str) else descriptor
    count = _FIELD_COUNTS.get(code) if isinstance(code, int) else None
    if count is None:
        raise DecodeError(f"A frame starts with {descriptor!r}, which is not a performative.")
    fields = value.value
    if len(fields) > count:
        raise DecodeError(f"Performative 0x{code:02x} has {len(fields)} fields, {count} are defined.")
    fields += [None] * (count - len(fields))
    return Performative(int(code), fields, body[end:], end)


def performative(code: int, *fields: bytes) -> bytes:
    """An outgoing performative from encoded fields, padded with nulls."""
    missing = _FIELD_COUNTS[code] - len(fields)
    return described(code, encoded_list([*fields, *([NULL] * missing)]))


def error(condition: str, description: str, tracking_id: str) -> bytes:
    """An error; all three fields are always there, because some clients read the third without looking."""
    info = {Symbol("com.microsoft:tracking-id"): tracking_id}
    return described(0x1D, encoded_list([encode(Symbol(condition)), encode(description), encode(info)]))


def rejected(condition: str, description: str, tracking_id: str) -> bytes:
    """The rejected outcome that says why."""
    return described(0x25, encoded_list([error(condition, description, tracking_id)]))


def open_(container: str, max_frame_bytes: int, channel_max: int, idle_timeout_ms: int) -> bytes:
    """Opens the connection."""
    return performative(
        OPEN, encode(container), NULL, uint(max_frame_bytes), encode(UShort(channel_max)), uint(idle_timeout_ms)
    )


def begin(remote_channel: int, next_outgoing_id: int, window: int, handle_max: int) -> bytes:
    """Answers a begin."""
    return performative(
        BEGIN,
        encode(UShort(remote_channel)),
        uint(next_outgoing_id),
        uint(window),
        uint(window),
        uint(handle_max),
    )


def transfer(handle: int, delivery_id: int, tag: bytes, *, settled: bool, more: bool) -> bytes:
    """The head of a transfer frame; message bytes follow it."""
    fields = b"".join(
        (
            uint(handle),
            _DELIVERY_ID(0x70, delivery_id),
            bytes((0xA0, len(tag))),
            tag,
            b"\x43",
            TRUE if settled else FALSE,
            TRUE if more else FALSE,
            _TRANSFER_TAIL,
        )
    )
    return _TRANSFER_HEAD + bytes((len(fields) + 1, 11)) + fields


def disposition(*, receiver: bool, first: int, last: int, state: bytes) -> bytes:
    """Settles the deliveries from `first` to `last` with one state."""
    return performative(
        DISPOSITION,
        TRUE if receiver else FALSE,
        uint(first),
        uint(last) if last != first else NULL,
        TRUE,
        state,
    )


def detach(handle: int, reason: bytes = NULL) -> bytes:
    """Closes a link."""
    return performative(DETACH, uint(handle), TRUE, reason)


def field(value: Any, kind: type, name: str) -> Any:
    """`value` when it has the type the specification gives the field.

    Raises:
        AmqpError: amqp:invalid-field, naming the field.
    """
    if not isinstance(value, kind):
        raise AmqpError("amqp:invalid-field", f"The field {name} is {value!r}; expected {kind.__name__.lower()}.")
    return value
