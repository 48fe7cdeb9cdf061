"""Delivery states as clients settle with them (part 3, section 3.4)."""

from collections.abc import Mapping
from typing import Any

from local.servicebus.amqp.encoder import encode
from local.servicebus.amqp.performatives import ACCEPTED, REJECTED, RELEASED
from local.servicebus.amqp.types import Described
from local.servicebus.broker.errors import BadRequest, NotSupported
from local.servicebus.broker.queue import Queue

_CODES = {
    "amqp:received:list": 0x23,
    "amqp:accepted:list": 0x24,
    "amqp:rejected:list": 0x25,
    "amqp:released:list": 0x26,
    "amqp:modified:list": 0x27,
    "amqp:declared:list": 0x33,
    "amqp:transactional-state:list": 0x34,
}
_RECEIVED, _ACCEPTED, _REJECTED, _RELEASED, _MODIFIED = range(0x23, 0x28)


def apply_outcome(queue: Queue, token: bytes, state: Any) -> bytes | None:
    """Settles a locked message the way the client says.

    Returns:
        The outcome to confirm; None when the state is not an outcome yet.

    Raises:
        BrokerError: The outcome cannot be applied.
    """
    if state is None:
        return None
    if not isinstance(state, Described) or not isinstance(state.value, list):
        raise BadRequest("A delivery state must be a described list.")
    code = _CODES.get(state.descriptor) if isinstance(state.descriptor, str) else state.descriptor
    if code == _RECEIVED:
        return None
    if code == _ACCEPTED:
        queue.complete(token)
        return ACCEPTED
    if code == _RELEASED:
        queue.release(token)
        return RELEASED
    if code == _REJECTED:
        reason, description = _reason(state.value)
        queue.dead_letter(token, reason, description)
        return REJECTED
    if code == _MODIFIED:
        _modify(queue, token, state.value)
        return encode(state)
    raise NotSupported(f"The delivery state {state.descriptor!r} is not supported; transactions are not covered.")


def _modify(queue: Queue, token: bytes, fields: list[Any]) -> None:
    _, undeliverable_here, annotations = [*fields, None, None, None][:3]
    if annotations is not None and not isinstance(annotations, dict):
        raise BadRequest("The message-annotations of a modified outcome must be a map.")
    properties = {str(name): value for name, value in (annotations or {}).items()}
    if undeliverable_here is True:
        queue.defer(token, properties)
    else:
        queue.abandon(token, properties)


def _reason(fields: list[Any]) -> tuple[str | None, str | None]:
    error = fields[0].value if fields and isinstance(fields[0], Described) else None
    if not isinstance(error, list):
        return None, None
    _, description, info = [*error, None, None, None][:3]
    named: Mapping[Any, Any] = info if isinstance(info, dict) else {}
    return (
        _text(named.get("DeadLetterReason")),
        _text(named.get("DeadLetterErrorDescription")) or _text(description),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
