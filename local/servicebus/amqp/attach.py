"""The attach performative (part 2, section 2.7.3) as a value."""

from dataclasses import dataclass, replace
from typing import Any

from local.servicebus.amqp.errors import AmqpError
from local.servicebus.amqp.performatives import field
from local.servicebus.amqp.types import Described, UByte, UInt, ULong


@dataclass(slots=True, frozen=True)
class AttachRequest:
    """What the client asked for.

    Attributes:
        name: Link name, unique per direction between two containers.
        handle: The client's number for the link in its session; the broker answers with the same.
        client_receives: True when messages go to the client.
        presettled: True when the sender of messages settles them before they are sent.
        sender_mode: The snd-settle-mode field as it came.
        receiver_mode: The rcv-settle-mode field as it came.
        source: The source terminus as it came.
        target: The target terminus as it came.
        properties: Link properties by name.
    """

    name: str
    handle: int
    client_receives: bool
    presettled: bool
    sender_mode: int | None
    receiver_mode: int | None
    source: Described | None
    target: Described | None
    properties: dict[str, Any]

    @property
    def address(self) -> str:
        """Address of the node the client wants to talk to; empty when there is none."""
        terminus = self.source if self.client_receives else self.target
        fields = terminus.value if terminus is not None else []
        return fields[0] if fields and isinstance(fields[0], str) else ""

    @property
    def filters(self) -> dict[str, Any]:
        """Filters of the source, by name."""
        fields = self.source.value if self.source is not None else []
        filters = fields[7] if len(fields) > 7 else None
        return filters if isinstance(filters, dict) else {}

    def with_filters(self, filters: dict[str, Any]) -> "AttachRequest":
        """The same request with other source filters."""
        fields = list(self.source.value) if self.source is not None else []
        fields += [None] * (8 - len(fields))
        fields[7] = filters
        return replace(self, source=Described(ULong(0x28), fields))


def read_attach(fields: list[Any]) -> AttachRequest:
    """Checks an attach.

    Raises:
        AmqpError: A field has the wrong type.
    """
    name, handle, client_receives, sender_mode, receiver_mode, source, target = fields[:7]
    for terminus, label in ((source, "source"), (target, "target")):
        if terminus is not None and not (isinstance(terminus, Described) and isinstance(terminus.value, list)):
            raise AmqpError("amqp:invalid-field", f"The {label} of an attach must be a described list.")
    properties = fields[13] if fields[13] is not None else {}
    return AttachRequest(
        name=field(name, str, "attach.name"),
        handle=field(handle, UInt, "attach.handle"),
        client_receives=field(client_receives, bool, "attach.role"),
        presettled=sender_mode == 1,
        sender_mode=_mode(sender_mode, 2, "attach.snd-settle-mode"),
        receiver_mode=_mode(receiver_mode, 1, "attach.rcv-settle-mode"),
        source=source,
        target=target,
        properties=field(properties, dict, "attach.properties"),
    )


def _mode(value: Any, highest: int, name: str) -> int | None:
    if value is None:
        return None
    if field(value, UByte, name) > highest:
        raise AmqpError("amqp:invalid-field", f"The field {name} is {value}; it is at most {highest}.")
    return int(value)
