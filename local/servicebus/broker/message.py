"""Messages as they are stored (part 3, section 3.2): sections are found, bodies stay opaque.

Only what the broker acts on is decoded: the header, the keys of the annotations, message-id and group-id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from local.servicebus.amqp.decoder import decode, raw_list, raw_map, skip
from local.servicebus.amqp.encoder import NULL, described, encode, encoded_list, encoded_map
from local.servicebus.amqp.errors import DecodeError
from local.servicebus.amqp.types import Symbol
from local.servicebus.broker.errors import BadMessage, NotAllowed

HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES, APPLICATION_PROPERTIES, DATA, SEQUENCE, VALUE, FOOTER = range(
    0x70, 0x79
)
MAX_ID_CHARACTERS = 128

_SCHEDULED = "x-opt-scheduled-enqueue-time"
_BROKER_ANNOTATIONS = frozenset(
    {
        "x-opt-sequence-number",
        "x-opt-enqueued-time",
        "x-opt-locked-until",
        "x-opt-message-state",
        "x-opt-lock-token",
        "x-opt-enqueue-sequence-number",
        "x-opt-deadletter-source",
    }
)
_GROUP_ID_FIELD = 10


@dataclass(slots=True, frozen=True)
class Section:
    """Where a section lies: `start` of its descriptor, `value` of its value, `end` after it."""

    code: int
    start: int
    value: int
    end: int


@dataclass(slots=True, frozen=True)
class Content:
    """A message as its sender wrote it.

    Attributes:
        raw: Encoded header and annotations, then the bare message.
        bare_start: Where the bare message begins in `raw`.
        header_fields: Encoded durable, priority.
        ttl_ms: The sender's time to live in milliseconds.
        annotations: Encoded pairs of the sender's annotations, without those the broker sets.
        annotation_count: How many pairs these are.
        message_id: Encoded message-id, for duplicate detection.
        session_id: The group-id.
        scheduled_at: When it is to become active, in seconds since the epoch.
    """

    raw: bytes
    bare_start: int
    header_fields: bytes
    ttl_ms: int | None
    annotations: bytes
    annotation_count: int
    message_id: bytes
    session_id: str | None
    scheduled_at: float | None

    @property
    def bare(self) -> bytes:
        """Properties, application properties, body and footer."""
        return self.raw[self.bare_start :]


def read_content(raw: bytes) -> Content:
    """Finds what the broker needs in an encoded message; stamps a message-id when there is none.

    Raises:
        BadMessage: The bytes are not a message.
        NotAllowed: An identifier is too long.
    """
    try:
        return _read(raw)
    except DecodeError as error:
        raise BadMessage(f"The message cannot be decoded: {error.description}") from error


def batched_messages(raw: bytes) -> list[bytes]:
    """The messages inside a batch (message format 0x80013700): one per data section.

    Raises:
        BadMessage: The bytes are not a batch.
    """
    try:
        messages = [decode(raw, section.value)[0] for section in sections(raw) if section.code == DATA]
    except DecodeError as error:
        raise BadMessage(f"The batch cannot be decoded: {error.description}") from error
    if not all(isinstance(message, bytes) for message in messages):
        raise BadMessage("A batch must hold its messages as binary data.")
    return messages


def sections(raw: bytes) -> Iterator[Section]:
    """The sections of an encoded message in order.

    Raises:
        DecodeError: There is something else between or behind the sections.
    """
    position, previous = 0, 0
    while position < len(raw):
        start = position
        if raw[position] != 0x00:
            raise DecodeError("A message section must start with a descriptor.")
        code, value = decode(raw, position + 1)
        code = _SECTION_NAMES.get(code, code) if isinstance(code, str) else code
        if not isinstance(code, int) or code not in _SECTION_CODES or code < previous:
            raise DecodeError(f"{code!r} is not a message section, or not at this place.")
        position = skip(raw, value)
        previous = code
        yield Section(code, start, value, position)


def with_application_properties(content: Content, properties: Mapping[str, Any]) -> Content:
    """The same message with application properties added or replaced.

    Raises:
        BadMessage: A value has no AMQP type.
    """
    section = _application_properties(content.raw)
    current = raw_map(content.raw, section.value) if section is not None else {}
    try:
        current.update({name: encode(value) for name, value in properties.items()})
    except TypeError as error:
        raise BadMessage(f"An application property cannot be stored: {error}") from error
    body = encoded_map((encode(name), value) for name, value in current.items())
    start, end = (section.start, section.end) if section is not None else _after_properties(content)
    return read_content(content.raw[:start] + described(APPLICATION_PROPERTIES, body) + content.raw[end:])


def _read(raw: bytes) -> Content:
    header: list[bytes] = []
    annotations: dict[str, bytes] = {}
    prefix: list[bytes] = []
    identifiers: tuple[bytes, str | None] = (NULL, None)
    bare_start, properties = len(raw), None
    for section in sections(raw):
        if section.code == HEADER:
            header, _ = raw_list(raw, section.value)
            prefix.append(raw[section.start : section.end])
        elif section.code == ANNOTATIONS:
            annotations = raw_map(raw, section.value)
            prefix.append(raw[section.start : section.end])
        elif section.code >= PROPERTIES:
            bare_start = min(bare_start, section.start)
            if section.code == PROPERTIES:
                properties = section
                identifiers = _identifiers(raw, section)
    bare = raw[bare_start:]
    message_id, session_id = identifiers
    if message_id == NULL:
        message_id = encode(uuid4().hex)
        bare = _stamped(raw, properties, message_id) + raw[properties.end if properties else bare_start :]
    head = b"".join(prefix)
    kept = {name: value for name, value in annotations.items() if name not in _BROKER_ANNOTATIONS}
    return Content(
        raw=head + bare,
        bare_start=len(head),
        header_fields=b"".join(header[index] if len(header) > index else NULL for index in (0, 1)),
        ttl_ms=_ttl(header),
        annotations=b"".join(encode(Symbol(name)) + value for name, value in kept.items()),
        annotation_count=len(kept),
        message_id=message_id,
        session_id=session_id,
        scheduled_at=_scheduled(annotations),
    )


def _ttl(header: list[bytes]) -> int | None:
    value = decode(header[2])[0] if len(header) > 2 else None
    if value is not None and not isinstance(value, int):
        raise DecodeError("header.ttl must be a number of milliseconds.")
    return value


def _scheduled(annotations: dict[str, bytes]) -> float | None:
    if _SCHEDULED not in annotations:
        return None
    value, _ = decode(annotations[_SCHEDULED])
    if value is not None and not isinstance(value, int):
        raise DecodeError(f"{_SCHEDULED} must be a timestamp.")
    return None if value is None else value / 1000


def _identifiers(raw: bytes, section: Section) -> tuple[bytes, str | None]:
    fields, _ = raw_list(raw, section.value)
    message_id = decode(fields[0])[0] if fields else None
    session_id = decode(fields[_GROUP_ID_FIELD])[0] if len(fields) > _GROUP_ID_FIELD else None
    if session_id is not None and not isinstance(session_id, str):
        raise DecodeError("properties.group-id must be a string.")
    if message_id is not None and not isinstance(message_id, (str, bytes, int, UUID)):
        raise DecodeError("properties.message-id must be a string, binary, ulong or uuid.")
    for name, value in (("message-id", message_id), ("session-id", session_id)):
        if isinstance(value, str) and len(value) > MAX_ID_CHARACTERS:
            raise NotAllowed(f"The {name} has {len(value)} characters; at most {MAX_ID_CHARACTERS} are allowed.")
    return encode(message_id), session_id


def _stamped(raw: bytes, properties: Section | None, message_id: bytes) -> bytes:
    fields = raw_list(raw, properties.value)[0] if properties is not None else []
    return described(PROPERTIES, encoded_list([message_id, *fields[1:]]))


def _application_properties(raw: bytes) -> Section | None:
    return next((section for section in sections(raw) if section.code == APPLICATION_PROPERTIES), None)


def _after_properties(content: Content) -> tuple[int, int]:
    ends = [section.end for section in sections(content.raw) if section.code <= PROPERTIES]
    position = max(ends, default=content.bare_start)
    return position, position


_SECTION_CODES = frozenset(range(HEADER, FOOTER + 1))
_SECTION_NAMES = {
    "amqp:header:list": HEADER,
    "amqp:delivery-annotations:map": DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": ANNOTATIONS,
    "amqp:properties:list": PROPERTIES,
    "amqp:application-properties:map": APPLICATION_PROPERTIES,
    "amqp:data:binary": DATA,
    "amqp:amqp-sequence:list": SEQUENCE,
    "amqp:amqp-value:*": VALUE,
    "amqp:footer:map": FOOTER,
}
