"""Request and reply over a pair of links, as $cbs and $management use it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.servicebus.amqp.decoder import decode, raw_list
from local.servicebus.amqp.encoder import NULL, described, encode, encoded_list
from local.servicebus.amqp.errors import AmqpError, DecodeError
from local.servicebus.amqp.outgoing import OutgoingLink
from local.servicebus.broker.message import APPLICATION_PROPERTIES, DATA, PROPERTIES, VALUE, sections

MAX_WAITING_REPLIES = 1000
_REPLY_TO_FIELD = 4


@dataclass(slots=True, frozen=True)
class Request:
    """A request.

    Attributes:
        message_id: Encoded, so that the reply's correlation-id has the same type.
        reply_to: Address the reply is for; empty when the client gave none.
        properties: Application properties.
        body: The value the request carries.
    """

    message_id: bytes
    reply_to: str
    properties: dict[str, Any]
    body: Any


def read_request(raw: bytes) -> Request:
    """Decodes a request.

    Raises:
        DecodeError: The bytes are not a message, or a section has the wrong type.
    """
    message_id, reply_to, body = NULL, "", None
    properties: Any = {}
    for section in sections(raw):
        if section.code == PROPERTIES:
            fields, _ = raw_list(raw, section.value)
            message_id = fields[0] if fields else NULL
            address = decode(fields[_REPLY_TO_FIELD])[0] if len(fields) > _REPLY_TO_FIELD else None
            reply_to = address if isinstance(address, str) else ""
        elif section.code == APPLICATION_PROPERTIES:
            properties, _ = decode(raw, section.value)
        elif section.code in (DATA, VALUE):
            body, _ = decode(raw, section.value)
    if not isinstance(properties, dict):
        raise DecodeError("The application properties of a request must be a map.")
    return Request(message_id, reply_to, properties, body)


def encode_reply(request: Request, properties: dict[str, Any], body: Any) -> bytes:
    """A reply that the client can match with its request."""
    head = described(PROPERTIES, encoded_list([NULL, NULL, NULL, NULL, NULL, request.message_id]))
    return head + described(APPLICATION_PROPERTIES, encode(properties)) + described(VALUE, encode(body))


class Replies:
    """The end of a link on which replies go to the client; they wait in order while it grants no credit."""

    def __init__(self, link: OutgoingLink) -> None:
        self._link = link
        self._waiting: deque[bytes] = deque()
        self._sent = 0

    @property
    def address(self) -> str:
        """The client's name for its end of the link."""
        target = self._link.request.target
        return str(target.value[0]) if target is not None and target.value else ""

    def send(self, reply: bytes) -> None:
        """Sends a reply, or keeps it until there is credit.

        Raises:
            AmqpError: Too many replies wait.
        """
        if len(self._waiting) >= MAX_WAITING_REPLIES:
            raise AmqpError("amqp:resource-limit-exceeded", "Too many replies wait for credit.")
        self._waiting.append(reply)
        self.credit_changed()

    def credit_changed(self) -> None:
        """Sends what waits."""
        while self._waiting and self._link.can_deliver:
            self._sent += 1
            self._link.deliver(self._waiting.popleft(), self._sent.to_bytes(4, "big"), None)
        self._link.finish_drain()

    def received(self, message: bytes, message_format: int) -> None:
        """Never called: messages on this link go the other way."""
        del message, message_format
        raise AmqpError("amqp:not-allowed", "Requests go over the other link of the pair.")

    def settle(self, token: bytes, state: Any) -> bytes | None:
        """Replies are settled when they are sent."""
        del token, state
        return None

    def closed(self) -> None:
        """Nobody is left to reply to."""
        self._waiting.clear()


class Requests:
    """The end of a link on which requests come in; each is answered at once."""

    def __init__(self, answer: Callable[[Request], bytes], find_replies: Callable[[str], Replies | None]) -> None:
        self._answer = answer
        self._find_replies = find_replies

    def received(self, message: bytes, message_format: int) -> None:
        """Answers a request.

        Raises:
            AmqpError: It is not a request, or there is no link for the reply.
        """
        del message_format
        request = read_request(message)
        replies = self._find_replies(request.reply_to)
        if replies is None:
            raise AmqpError("amqp:not-allowed", "There is no link on this session that takes the reply.")
        replies.send(self._answer(request))

    def credit_changed(self) -> None:
        """Credit for requests is the broker's to give."""

    def settle(self, token: bytes, state: Any) -> bytes | None:
        """Nothing is delivered over this link."""
        del token, state
        return None

    def closed(self) -> None:
        """Requests leave nothing behind."""
