"""What the broker answers when it cannot do what was asked: one class per error of the service."""

from typing import ClassVar

from local.servicebus.amqp.errors import AmqpError


class BrokerError(AmqpError):
    """Base of all answers.

    Attributes:
        code: AMQP error condition on links, and `errorCondition` on management replies.
        status: Status code on management replies.
    """

    code: ClassVar[str] = "amqp:internal-error"
    status: ClassVar[int] = 500

    def __init__(self, description: str) -> None:
        super().__init__(self.code, description)


class BadMessage(BrokerError):
    """The bytes are not an AMQP message. Remedy: repair the client."""

    code = "amqp:decode-error"
    status = 400


class BadRequest(BrokerError):
    """An argument is missing or has the wrong type or range."""

    code = "com.microsoft:argument-error"
    status = 400


class EntityNotFound(BrokerError):
    """No such queue. Remedy: declare it in the configuration file."""

    code = "amqp:not-found"
    status = 404


class MessageLockLost(BrokerError):
    """The lock expired or the message was settled already. Remedy: receive it again."""

    code = "com.microsoft:message-lock-lost"
    status = 410

    def __init__(self) -> None:
        super().__init__(
            "The lock supplied is invalid. Either the lock expired, or the message has already been "
            "removed from the queue."
        )


class MessageNotFound(BrokerError):
    """No deferred or scheduled message has this sequence number."""

    code = "com.microsoft:message-not-found"
    status = 404


class MessageTooLarge(BrokerError):
    """The message exceeds the limit of the link. Remedy: send a reference to the content instead."""

    code = "amqp:link:message-size-exceeded"
    status = 403


class NotAllowed(BrokerError):
    """The entity does not allow this operation."""

    code = "amqp:not-allowed"
    status = 400


class NotSupported(BrokerError):
    """Service Bus can do this, this service cannot; COVERAGE.md lists what it covers."""

    code = "amqp:not-implemented"
    status = 501


class QuotaExceeded(BrokerError):
    """The queue is full. Remedy: receive messages, or raise --max-queue-megabytes."""

    code = "amqp:resource-limit-exceeded"
    status = 403


class SessionCannotBeLocked(BrokerError):
    """Another receiver holds the session. Remedy: try again later."""

    code = "com.microsoft:session-cannot-be-locked"
    status = 409


class SessionLockLost(BrokerError):
    """The receiver no longer holds the session. Remedy: accept it again."""

    code = "com.microsoft:session-lock-lost"
    status = 410

    def __init__(self, session_id: str) -> None:
        super().__init__(f"The session lock has expired on the MessageSession '{session_id}'. Accept a new one.")


class Timeout(BrokerError):
    """Nothing became available in the time the client gave."""

    code = "com.microsoft:timeout"
    status = 408


class Unauthorized(BrokerError):
    """No valid token covers the entity. Remedy: check SharedAccessKey in the connection string."""

    code = "amqp:unauthorized-access"
    status = 401
