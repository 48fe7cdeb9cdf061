"""A message in a queue: its content, and what happened to it since."""

from dataclasses import dataclass, field
from enum import IntEnum

from local.servicebus.amqp.encoder import NULL, described, encode, encoded_map, long, timestamp, uint
from local.servicebus.amqp.types import Int, Symbol
from local.servicebus.broker.message import ANNOTATIONS, DELIVERY_ANNOTATIONS, HEADER, Content


class State(IntEnum):
    """Values of the annotation x-opt-message-state; a lock is a matter of its own."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


@dataclass(slots=True, eq=False)
class StoredMessage:
    """A message in a queue.

    Attributes:
        content: What the sender wrote, with application properties that settlements added.
        sequence_number: Place in the queue, unique and increasing.
        enqueued_at: Seconds since the epoch.
        state: Whether it can be received.
        delivery_count: Failed deliveries so far.
        expires_at: End of its time to live; None when it does not expire.
        scheduled_at: When it becomes active.
        original_sequence_number: In a dead-letter queue, its number in the queue it came from.
        lock_token: Present while a receiver holds it; 16 bytes, in the order of the delivery tag.
        locked_until: End of that lock. Messages of a session are locked as long as their session is.
    """

    content: Content
    sequence_number: int
    enqueued_at: float
    state: State = State.ACTIVE
    delivery_count: int = 0
    expires_at: float | None = None
    scheduled_at: float | None = None
    original_sequence_number: int | None = None
    lock_token: bytes | None = field(default=None)
    locked_until: float = 0.0

    def encode(self) -> bytes:
        """The message for a receiver: header and annotations as they are now, then the sender's bare message."""
        content = self.content
        header = b"".join((content.header_fields, self._ttl(), NULL, uint(self.delivery_count)))
        pairs = [_SEQUENCE_NUMBER, long(self.sequence_number), _ENQUEUED_TIME, timestamp(self.enqueued_at)]
        count = content.annotation_count + 3
        if self.original_sequence_number is not None:
            pairs += (_ENQUEUE_SEQUENCE_NUMBER, long(self.original_sequence_number))
            count += 1
        if self.lock_token is not None:
            pairs += (_LOCKED_UNTIL, timestamp(self.locked_until))
            count += 1
        annotations = b"".join((content.annotations, *pairs, _STATES[self.state]))
        return b"".join(
            (
                _HEADER_LIST,
                (len(header) + 4).to_bytes(4, "big"),
                _FIVE,
                header,
                _ANNOTATION_MAP,
                (len(annotations) + 4).to_bytes(4, "big"),
                (count * 2).to_bytes(4, "big"),
                annotations,
                content.bare,
            )
        )

    def encode_with_lock_token(self, token: bytes) -> bytes:
        """As `encode`, with the lock token (an encoded uuid) in the delivery annotations, for older clients."""
        message = self.encode()
        header_end = len(_HEADER_LIST) + 4 + int.from_bytes(message[4:8], "big")
        section = described(DELIVERY_ANNOTATIONS, encoded_map([(_LOCK_TOKEN, token)]))
        return message[:header_end] + section + message[header_end:]

    def _ttl(self) -> bytes:
        if self.expires_at is None:
            return NULL if self.content.ttl_ms is None else uint(self.content.ttl_ms & 0xFFFFFFFF)
        return uint(min(max(round((self.expires_at - self.enqueued_at) * 1000), 0), 0xFFFFFFFF))


_HEADER_LIST = described(HEADER, b"\xd0")
_ANNOTATION_MAP = described(ANNOTATIONS, b"\xd1")
_FIVE = (5).to_bytes(4, "big")
_SEQUENCE_NUMBER = encode(Symbol("x-opt-sequence-number"))
_ENQUEUED_TIME = encode(Symbol("x-opt-enqueued-time"))
_ENQUEUE_SEQUENCE_NUMBER = encode(Symbol("x-opt-enqueue-sequence-number"))
_LOCKED_UNTIL = encode(Symbol("x-opt-locked-until"))
_LOCK_TOKEN = encode(Symbol("x-opt-lock-token"))
_STATES = [encode(Symbol("x-opt-message-state")) + encode(Int(state)) for state in State]
