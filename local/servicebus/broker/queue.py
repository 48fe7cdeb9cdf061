"""One queue as senders and receivers use it."""

import heapq
from collections.abc import Callable, Iterator, Sequence

from local.servicebus.broker.consumer import Consumer, Consumers
from local.servicebus.broker.duplicates import DuplicateHistory
from local.servicebus.broker.errors import MessageNotFound, NotAllowed, QuotaExceeded
from local.servicebus.broker.journal import Journal
from local.servicebus.broker.message import Content
from local.servicebus.broker.sessions import MessageSession
from local.servicebus.broker.settings import QueueSettings
from local.servicebus.broker.settlement import Settlement
from local.servicebus.broker.stored import State, StoredMessage


class Queue(Settlement):
    """A queue, or the dead-letter queue of one.

    Attributes:
        history: Message ids of the recent past, for duplicate detection.
    """

    def __init__(
        self,
        settings: QueueSettings,
        *,
        clock: Callable[[], float],
        journal: Journal,
        wake: Callable[[str], None],
        dead_letters: "Queue | None" = None,
    ) -> None:
        super().__init__(settings, clock=clock, journal=journal, wake=wake, dead_letters=dead_letters)
        self.history = DuplicateHistory(settings.duplicate_window_seconds)
        self._consumers = Consumers()

    def put(self, contents: Sequence[Content]) -> list[int]:
        """Takes all messages or none; returns their sequence numbers.

        A duplicate is accepted and dropped; it is given the number of the message it repeats.

        Raises:
            NotAllowed: A message has no session id and the queue requires one.
            QuotaExceeded: The queue is full.
        """
        size = sum(len(content.raw) for content in contents)
        if self.store.bytes + size > self.settings.max_bytes:
            raise QuotaExceeded(f"The queue '{self.name}' holds its maximum of {self.settings.max_bytes} bytes.")
        if self.settings.requires_session and any(content.session_id is None for content in contents):
            raise NotAllowed(
                "The SessionId was not set on a message, and it cannot be sent to the entity. "
                f"The entity '{self.name}' requires sessions."
            )
        now = self._clock()
        self.usage.count("sent", len(contents))
        return [self._put(content, now) for content in contents]

    def cancel_scheduled(self, sequence_numbers: Sequence[int]) -> None:
        """Removes scheduled messages, all or none.

        Raises:
            MessageNotFound: One of them is not scheduled here.
        """
        for message in self._find(sequence_numbers, State.SCHEDULED):
            self.remove(message)

    def add_consumer(self, consumer: Consumer) -> None:
        """Serves a receiver from now on, in turn with the others."""
        self._consumers.add(consumer)
        self.wake()

    def remove_consumer(self, consumer: Consumer) -> None:
        """The receiver is gone. Its message locks stay until they expire."""
        self._consumers.remove(consumer)

    def accept_session(self, consumer: Consumer, session_id: str | None, wait_seconds: float) -> None:
        """Locks a session for a receiver; see `Sessions.accept`."""
        now = self.advance()
        self.sessions.accept(consumer, session_id, wait_seconds=wait_seconds, now=now)
        self.wake()

    def leave_session(self, consumer: Consumer, session_id: str | None) -> None:
        """The receiver is gone: its session is free at once, or it no longer waits for one."""
        self.sessions.leave(consumer, session_id)
        self.wake()

    def serve_session(self, session_id: str) -> None:
        """The session's holder takes messages again."""
        session = self.sessions.known.get(session_id)
        if session is not None and session.holder is not None:
            self._serving[session] = session.holder
            self.wake()

    def held_session(self, session_id: str, is_holder: Callable[[Consumer], bool]) -> MessageSession:
        """A session locked by whoever asks; see `Sessions.held`."""
        now = self.advance()
        return self.sessions.held(session_id, is_holder, now)

    def renew_session(self, session: MessageSession) -> float:
        """Extends a session's lock; returns the new end in seconds since the epoch."""
        self.usage.count("renewed")
        return self.sessions.renew(session, self._clock())

    def set_session_state(self, session: MessageSession, state: bytes | None) -> None:
        """Stores what the application wants to keep with a session."""
        session.state, session.updated_at = state, self._clock()
        self._journal.session_changed(self.name, session.id, state, session.updated_at)

    def pump(self) -> None:
        """Delivers what can be delivered, after doing what was due."""
        now = self.advance()
        self.sessions.serve_waiters(now)
        self._pump_sessions(now)
        while self.has_ready(self._ready):
            consumer = self._consumers.next_free()
            if consumer is None:
                return
            self._deliver(self._pop(self._ready), consumer, None, now)

    def browse(self, from_number: int, session_id: str | None = None) -> Iterator[StoredMessage]:
        """Messages in order, whatever their state, from a sequence number on."""
        self.advance()
        self.usage.count("peeks")
        for message in self.store.browse(from_number):
            if session_id is None or message.content.session_id == session_id:
                yield message

    def receive_deferred(
        self, sequence_numbers: Sequence[int], *, delete: bool, session: MessageSession | None
    ) -> list[StoredMessage]:
        """Takes deferred messages, all or none: locked, or removed when `delete` is set.

        Raises:
            MessageNotFound: One of them is not deferred here, is locked, or is of another session.
        """
        messages = self._find(sequence_numbers, State.DEFERRED)
        if any(session is not None and message.content.session_id != session.id for message in messages):
            raise MessageNotFound("A message with this sequence number is not part of the session.")
        now = self._clock()
        for message in messages:
            if delete:
                self.remove(message)
            else:
                self._lock(message, session, now)
        self.wake()
        return messages

    def _put(self, content: Content, now: float) -> int:
        number = self.store.last_sequence_number + 1
        if self.settings.duplicate_window_seconds:
            for message_id in self.history.lapsed(now):
                self._journal.forgotten(self.name, message_id)
            seen = self.history.find(content.message_id, now)
            if seen is not None:
                return seen.sequence_number
            seen = self.history.remember(content.message_id, number, now)
            self._journal.remembered(self.name, content.message_id, seen)
        message = StoredMessage(content, number, now)
        if content.scheduled_at is not None and content.scheduled_at > now:
            message.state, message.scheduled_at = State.SCHEDULED, content.scheduled_at
            self.usage.count("scheduled")
        self.insert(message)
        return number

    def _pump_sessions(self, now: float) -> None:
        serving, self._serving = self._serving, {}
        for session, consumer in serving.items():
            while session.holder is consumer and consumer.can_deliver and self.has_ready(session.ready):
                self._deliver(self._pop(session.ready), consumer, session, now)

    def _pop(self, ready: list[int]) -> StoredMessage:
        return self.store.messages[heapq.heappop(ready)]

    def _deliver(self, message: StoredMessage, consumer: Consumer, session: MessageSession | None, now: float) -> None:
        self.usage.count("delivered")
        if consumer.presettled:
            self.remove(message)
            consumer.deliver(message.encode(), None)
        else:
            token = self._lock(message, session, now)
            consumer.deliver(message.encode(), token)

    def _lock(self, message: StoredMessage, session: MessageSession | None, now: float) -> bytes:
        until = now + self.settings.lock_seconds if session is None else session.locked_until
        token = self.store.lock(message, until)
        self.usage.locked(token, now)
        if session is not None:
            session.locked[token] = message
        return token

    def _find(self, sequence_numbers: Sequence[int], state: State) -> list[StoredMessage]:
        self.advance()
        found = []
        for number in dict.fromkeys(sequence_numbers):
            message = self.store.messages.get(number)
            if message is None or message.state is not state or message.lock_token is not None:
                raise MessageNotFound(f"No {state.name.lower()} message with the sequence number {number} was found.")
            found.append(message)
        return found
