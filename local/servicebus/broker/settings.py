"""What a queue is told when it is declared."""

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class QueueSettings:
    """Settings of one queue.

    Attributes:
        name: As declared; compared without regard to case.
        lock_seconds: How long a message or session stays locked without renewal.
        max_delivery_count: Failed deliveries after which a message is dead-lettered.
        time_to_live_seconds: Upper bound of every message's time to live.
        dead_letters_on_expiry: Expired messages go to the dead-letter queue instead of being dropped.
        requires_session: Every message has a session id, every receiver accepts a session.
        duplicate_window_seconds: How long message ids are remembered; 0 turns duplicate detection off.
        max_bytes: Encoded size of all messages the queue holds.
        is_dead_letter_queue: It is the dead-letter queue of another one.
    """

    name: str
    lock_seconds: float = 60.0
    max_delivery_count: int = 10
    time_to_live_seconds: float | None = None
    dead_letters_on_expiry: bool = False
    requires_session: bool = False
    duplicate_window_seconds: float = 0.0
    max_bytes: int = 1024 * 1024 * 1024
    is_dead_letter_queue: bool = False
