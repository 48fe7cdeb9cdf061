"""SASL in front of AMQP (part 5, section 5.3). The mechanism carries no identity: tokens come later, over $cbs."""

from local.servicebus.amqp.decoder import decode
from local.servicebus.amqp.encoder import described, encode, encoded_list
from local.servicebus.amqp.errors import DecodeError
from local.servicebus.amqp.frames import SASL_FRAME, frame
from local.servicebus.amqp.performatives import SASL_INIT, SASL_MECHANISMS, SASL_OUTCOME
from local.servicebus.amqp.types import Array, Described, Symbol, UByte

OFFERED = ("MSSBCBS", "ANONYMOUS")

MECHANISMS = frame(
    0,
    described(SASL_MECHANISMS, encoded_list([encode(Array(0xA3, [Symbol(name) for name in OFFERED]))])),
    SASL_FRAME,
)


def answer(body: bytes) -> tuple[bytes, bool]:
    """The outcome frame for the client's choice, and whether it was accepted.

    Raises:
        DecodeError: The frame is not sasl-init.
    """
    value, _ = decode(body)
    if not isinstance(value, Described) or value.descriptor not in (SASL_INIT, "amqp:sasl-init:list"):
        raise DecodeError("Expected sasl-init.")
    fields = value.value if isinstance(value.value, list) else []
    accepted = bool(fields) and fields[0] in OFFERED
    code = UByte(0 if accepted else 1)
    return frame(0, described(SASL_OUTCOME, encoded_list([encode(code)])), SASL_FRAME), accepted
