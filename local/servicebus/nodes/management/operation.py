"""What every management operation is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.servicebus.broker.consumer import Consumer
from local.servicebus.broker.queue import Queue
from local.servicebus.broker.sessions import MessageSession
from local.servicebus.nodes.management.arguments import Arguments


@dataclass(slots=True, frozen=True)
class Call:
    """One call.

    Attributes:
        queue: The queue it concerns.
        arguments: The request's body.
        is_caller: Whether a receiver belongs to whoever calls.
        max_message_bytes: Size limit of a message, and of the messages in one reply.
    """

    queue: Queue
    arguments: Arguments
    is_caller: Callable[[Consumer], bool]
    max_message_bytes: int

    def session(self) -> MessageSession:
        """The session the call names, which the caller must hold.

        Raises:
            SessionLockLost: It does not hold it.
        """
        return self.queue.held_session(self.arguments.text("session-id"), self.is_caller)


@dataclass(slots=True, frozen=True)
class Answer:
    """Result of a call: the reply's body and status; `condition` says why there is no body."""

    body: Any = None
    status: int = 200
    condition: str | None = None


Operation = Callable[[Call], Answer]
