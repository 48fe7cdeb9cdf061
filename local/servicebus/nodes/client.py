"""One connected client: what it is authorised for, and what its links lead to."""

from collections.abc import Callable
from functools import partial

from local.servicebus.amqp.connection import Connection
from local.servicebus.amqp.incoming import IncomingLink
from local.servicebus.amqp.link import Link
from local.servicebus.amqp.outgoing import OutgoingLink
from local.servicebus.broker.broker import Broker
from local.servicebus.broker.errors import NotAllowed, NotSupported
from local.servicebus.nodes import cbs
from local.servicebus.nodes.addresses import Address, Kind, parse_address
from local.servicebus.nodes.management.service import Management
from local.servicebus.nodes.receiver import Receiver
from local.servicebus.nodes.requests import Replies, Request, Requests
from local.servicebus.nodes.sender import Sender
from local.servicebus.nodes.tokens import Authorization

_COORDINATOR = (0x30, "amqp:coordinator:list")


class Client:
    """Leads the links of one connection to their nodes."""

    def __init__(self, broker: Broker, key: str, clock: Callable[[], float], connection: Connection) -> None:
        self._broker = broker
        self._connection = connection
        self._authorization = Authorization(key, clock)

    def attach(self, link: Link) -> None:
        """Accepts a link, now or when a session is there for it.

        Raises:
            AmqpError: The link is refused.
        """
        target = link.request.target
        if target is not None and target.descriptor in _COORDINATOR:
            raise NotSupported("Transactions are not covered by this service.")
        address = parse_address(link.request.address)
        if address.kind is Kind.TOKENS:
            self._attach_pair(link, address, partial(cbs.answer, self._authorization))
            return
        self._authorization.require(address.path)
        queue = self._broker.find(address.entity)
        if address.kind is Kind.MANAGEMENT:
            management = Management(queue, self._connection, self._connection.limits.max_message_bytes)
            self._attach_pair(link, address, management.answer)
        elif isinstance(link, OutgoingLink):
            link.expires = True
            receiver = Receiver(link, queue)
            link.terminus = receiver
            receiver.attach()
        elif queue.settings.is_dead_letter_queue:
            raise NotAllowed("Messages cannot be sent to a dead-letter queue.")
        else:
            link.expires = True
            link.accept(Sender(queue))

    def closed(self) -> None:
        """The connection is gone; its links have been closed one by one."""

    def _attach_pair(self, link: Link, address: Address, answer: Callable[[Request], bytes]) -> None:
        if isinstance(link, OutgoingLink):
            link.accept(Replies(link))
        elif isinstance(link, IncomingLink):
            link.accept(Requests(answer, partial(self._replies, link, address)))

    def _replies(self, request_link: Link, address: Address, reply_to: str) -> Replies | None:
        """The link for a reply: the one with that address, else any to the same node on the same session."""
        candidates = [
            link.terminus
            for link in request_link.session.links.values()
            if isinstance(link.terminus, Replies) and parse_address(link.request.address) == address
        ]
        named = [replies for replies in candidates if replies.address == reply_to]
        return next(iter(named or candidates), None)
