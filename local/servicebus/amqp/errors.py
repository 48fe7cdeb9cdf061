"""Protocol errors: each carries the AMQP error condition that the peer is told."""


class AmqpError(Exception):
    """The peer is told `condition` and `description` on the connection, session or link that the error concerns."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(description)
        self.condition = condition
        self.description = description


class DecodeError(AmqpError):
    """Bytes that are not what the specification allows at this place."""

    def __init__(self, description: str) -> None:
        super().__init__("amqp:decode-error", description)


class FramingError(AmqpError):
    """The byte stream cannot be split into frames; the connection ends."""

    def __init__(self, description: str) -> None:
        super().__init__("amqp:connection:framing-error", description)
