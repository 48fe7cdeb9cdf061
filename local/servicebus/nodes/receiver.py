"""The broker's end of a link on which a client receives from a queue."""

from typing import Any
from uuid import uuid4

from local.servicebus.amqp.errors import AmqpError
from local.servicebus.amqp.outgoing import OutgoingLink
from local.servicebus.amqp.types import Described, Long, Symbol
from local.servicebus.broker.errors import BrokerError, NotAllowed
from local.servicebus.broker.queue import Queue
from local.servicebus.nodes.outcomes import apply_outcome

SESSION_FILTER = "com.microsoft:session-filter"
DEFAULT_SESSION_WAIT_SECONDS = 60.0
_TICKS_PER_SECOND = 10_000_000
_TICKS_AT_UNIX_EPOCH = 621_355_968_000_000_000


class Receiver:
    """Delivers the messages of a queue, or of one session of it.

    Attributes:
        link: The link they go over.
        presettled: Receive-and-delete.
    """

    def __init__(self, link: OutgoingLink, queue: Queue) -> None:
        self.link = link
        self.presettled = link.request.presettled
        self._queue = queue
        self._session_id: str | None = None
        self._wants_session = SESSION_FILTER in link.request.filters
        self._is_consumer = False

    def attach(self) -> None:
        """Starts receiving; with a session as soon as one is locked.

        Raises:
            NotAllowed: The queue requires a session and none was asked for, or the other way round.
            SessionCannotBeLocked: Another receiver holds the session.
        """
        required = self._queue.settings.requires_session
        if self._wants_session and not required:
            raise NotAllowed(
                "A sessionful message receiver cannot be created on an entity that does not require sessions."
            )
        if required and not self._wants_session:
            raise NotAllowed(
                "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
            )
        if required:
            self._queue.accept_session(self, self._wanted_session(), self._wait_seconds())
            return
        self._queue.add_consumer(self)
        self._is_consumer = True
        self.link.accept(self)

    @property
    def can_deliver(self) -> bool:
        """Whether the client takes a message now."""
        return self.link.can_deliver

    def deliver(self, message: bytes, token: bytes | None) -> None:
        """Sends a message; its lock token is its delivery tag."""
        self.link.deliver(message, token or uuid4().bytes_le, token)

    def session_granted(self, session_id: str, locked_until: float) -> None:
        """Opens the link and tells the client which session it has, and until when."""
        self._session_id = session_id
        self.link.request = self.link.request.with_filters({Symbol(SESSION_FILTER): session_id})
        ticks = int(locked_until * _TICKS_PER_SECOND) + _TICKS_AT_UNIX_EPOCH
        self.link.accept(self, {Symbol("com.microsoft:locked-until-utc"): Long(ticks)})
        self._queue.serve_session(session_id)

    def session_refused(self, error: BrokerError) -> None:
        """Tells the client that there was none."""
        self.link.refuse(error)

    def session_lost(self, error: BrokerError) -> None:
        """Closes the link; the session is somebody else's to take."""
        self.link.detach(error)

    def received(self, message: bytes, message_format: int) -> None:
        """Never called: messages on this link go the other way."""
        del message, message_format
        raise AmqpError("amqp:not-allowed", "This link only receives.")

    def credit_changed(self) -> None:
        """Delivers what the new credit allows; a drain ends after everything there is was delivered."""
        if self._session_id is not None:
            self._queue.serve_session(self._session_id)
        if self.link.draining:
            self._queue.pump()
            self.link.finish_drain()
        else:
            self._queue.wake()

    def settle(self, token: bytes, state: Any) -> bytes | None:
        """Applies an outcome; what cannot be applied is answered with rejected and the reason."""
        try:
            return apply_outcome(self._queue, token, state)
        except BrokerError as error:
            return self.link.session.connection.reject(error)

    def closed(self) -> None:
        """The client is gone."""
        if self._is_consumer:
            self._queue.remove_consumer(self)
        elif self._wants_session:
            self._queue.leave_session(self, self._session_id)

    def _wanted_session(self) -> str | None:
        wanted = self.link.request.filters[SESSION_FILTER]
        wanted = wanted.value if isinstance(wanted, Described) else wanted
        if wanted is not None and not isinstance(wanted, str):
            raise NotAllowed("The session filter must be a session id, or null for the next available session.")
        return wanted

    def _wait_seconds(self) -> float:
        milliseconds = self.link.request.properties.get("com.microsoft:timeout")
        return milliseconds / 1000 if isinstance(milliseconds, int) else DEFAULT_SESSION_WAIT_SECONDS
