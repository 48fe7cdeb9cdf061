"""What becomes of the messages of a queue: they arrive, become available, fail, expire, are dead-lettered."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from local.servicebus.broker.consumer import Consumer
from local.servicebus.broker.errors import NotAllowed
from local.servicebus.broker.journal import Journal
from local.servicebus.broker.message import Content, with_application_properties
from local.servicebus.broker.sessions import MessageSession, Sessions
from local.servicebus.broker.settings import QueueSettings
from local.servicebus.broker.store import Store
from local.servicebus.broker.stored import State, StoredMessage
from local.servicebus.broker.usage import Usage


class Lifecycle:
    """The states of messages, and time.

    A message is ACTIVE (can be received), SCHEDULED (not yet) or DEFERRED (only by its sequence number), and apart
    from that locked or not. Locks end by settlement, by expiry, or with the session they belong to.

    Attributes:
        settings: What the queue was declared with.
        store: Its messages.
        sessions: Its sessions; none unless it requires them.
        dead_letters: Its dead-letter queue; None when it is one.
        usage: What it was asked to do.
    """

    def __init__(
        self,
        settings: QueueSettings,
        *,
        clock: Callable[[], float],
        journal: Journal,
        wake: Callable[[str], None],
        dead_letters: "Lifecycle | None" = None,
    ) -> None:
        self.settings = settings
        self.dead_letters = dead_letters
        self.usage = Usage()
        self.store = Store(settings.name, journal, locked_by_session=settings.requires_session)
        self.sessions = Sessions(settings.lock_seconds, self.has_ready, self._session_freed)
        self._clock = clock
        self._journal = journal
        self._wake = wake
        self._ready: list[int] = []
        self._serving: dict[MessageSession, Consumer] = {}

    @property
    def name(self) -> str:
        """The name as declared."""
        return self.settings.name

    def wake(self) -> None:
        """Asks for `pump` at the end of this turn."""
        self._wake(self.name)

    def advance(self) -> float:
        """Does what is due - locks, schedules, expiry, sessions - and returns the time."""
        now = self._clock()
        for message in self.store.due(now):
            if message.lock_token is not None:
                self.usage.count("lock_expired")
                self.unlock(message)
                self.fail(message)
            elif message.state is State.SCHEDULED:
                self._activate(message, now)
            else:
                self._expire(message)
        self.sessions.tick(now)
        return now

    def next_deadline(self) -> float | None:
        """When `advance` may have something to do."""
        times = (self.store.next_deadline(), self.sessions.next_deadline())
        return min((at for at in times if at is not None), default=None)

    def resume(self, message: StoredMessage, *, was_locked: bool) -> None:
        """Makes a restored message available; a lock it had when the broker went down counts as lost."""
        if was_locked:
            self.fail(message)
        else:
            self.place(message)

    def insert(self, message: StoredMessage) -> None:
        """Takes a new message."""
        self.store.insert(message)
        self.place(message)

    def place(self, message: StoredMessage) -> None:
        """Makes an unlocked message available in the way its state says."""
        if message.state is State.ACTIVE:
            message.expires_at = self._expiry(message)
            if message.expires_at is not None and message.expires_at <= self._clock():
                self._expire(message)
                return
            self._make_ready(message)
        self.store.note_deadline(message)
        self.wake()

    def fail(self, message: StoredMessage) -> None:
        """A delivery failed: by abandoning, or by a lock that expired."""
        message.delivery_count += 1
        limit = self.settings.max_delivery_count
        if self.dead_letters is not None and message.delivery_count >= limit:
            self.bury(
                message,
                "MaxDeliveryCountExceeded",
                f"Message could not be consumed after {limit} delivery attempts.",
            )
            return
        self.store.changed(message)
        self.place(message)

    def bury(self, message: StoredMessage, reason: str | None, description: str | None) -> None:
        """Moves a message to the dead-letter queue.

        Raises:
            NotAllowed: It is there already.
        """
        if self.dead_letters is None:
            raise NotAllowed("The message is in the dead-letter queue already.")
        why = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        known = {name: text for name, text in why.items() if text is not None}
        content = with_application_properties(message.content, known)
        self.remove(message)
        self.dead_letters.take_dead(message, content)

    def take_dead(self, message: StoredMessage, content: Content) -> None:
        """Takes over a message from the queue this is the dead-letter queue of."""
        self.insert(
            StoredMessage(
                content,
                self.store.last_sequence_number + 1,
                message.enqueued_at,
                delivery_count=message.delivery_count,
                original_sequence_number=message.sequence_number,
            )
        )

    def remove(self, message: StoredMessage) -> None:
        """Drops a message, and its session when nothing else needs that."""
        self.unlock(message)
        self.store.remove(message)
        session = self._session_of(message)
        if session is not None:
            self.sessions.drop_if_unused(session)

    def unlock(self, message: StoredMessage) -> None:
        """Ends a message's lock, if it has one."""
        token = self.store.unlock(message)
        if token is not None:
            self.usage.unlocked(token, self._clock())
        session = self._session_of(message)
        if token is not None and session is not None:
            session.locked.pop(token, None)

    def modify(self, message: StoredMessage, properties: Mapping[str, Any] | None) -> None:
        """Adds application properties to a message."""
        if properties:
            self.store.rewrite(message, with_application_properties(message.content, properties))

    def has_ready(self, ready: list[int]) -> bool:
        """Whether a heap of sequence numbers leads to a message that is still there."""
        while ready and ready[0] not in self.store.messages:
            heapq.heappop(ready)
        return bool(ready)

    def _make_ready(self, message: StoredMessage) -> None:
        session_id = message.content.session_id
        if not self.settings.requires_session or session_id is None:
            heapq.heappush(self._ready, message.sequence_number)
            return
        session = self.sessions.add_ready(session_id, message.sequence_number)
        if session.holder is not None:
            self._serving[session] = session.holder

    def _expiry(self, message: StoredMessage) -> float | None:
        if self.dead_letters is None:
            return None
        limits = [self.settings.time_to_live_seconds]
        if message.content.ttl_ms is not None:
            limits.append(message.content.ttl_ms / 1000)
        seconds = min((limit for limit in limits if limit is not None), default=None)
        return None if seconds is None else message.enqueued_at + seconds

    def _expire(self, message: StoredMessage) -> None:
        if self.settings.dead_letters_on_expiry:
            self.bury(message, "TTLExpiredException", "The message expired and was dead lettered.")
        else:
            self.remove(message)

    def _activate(self, message: StoredMessage, now: float) -> None:
        """A scheduled message arrives now: with a new sequence number, and its time to live begins."""
        self.remove(message)
        number = self.store.last_sequence_number + 1
        self.insert(replace(message, sequence_number=number, enqueued_at=now, state=State.ACTIVE, scheduled_at=None))

    def _session_of(self, message: StoredMessage) -> MessageSession | None:
        session_id = message.content.session_id
        return None if session_id is None else self.sessions.known.get(session_id)

    def _session_freed(self, session: MessageSession, expired: bool) -> None:
        for message in list(session.locked.values()):
            self.unlock(message)
            if expired:
                self.fail(message)
            else:
                self.store.changed(message)
                self.place(message)
