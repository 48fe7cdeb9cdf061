"""One queue: what comes in, who gets it, and what becomes of it."""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from local.servicebus.broker.consumer import Consumer
from local.servicebus.broker.deadlines import Deadlines
from local.servicebus.broker.duplicates import DuplicateHistory
from local.servicebus.broker.errors import MessageLockLost, MessageNotFound, NotAllowed, QuotaExceeded
from local.servicebus.broker.journal import Journal
from local.servicebus.broker.message import Content, with_application_properties
from local.servicebus.broker.sessions import MessageSession, Sessions
from local.servicebus.broker.settings import QueueSettings
from local.servicebus.broker.stored import State, StoredMessage

COMPACT_FROM = 64


class Queue:
    """A queue, or the dead-letter queue of one.

    A message is ACTIVE (can be received), SCHEDULED (not yet) or DEFERRED (only by its sequence number), and apart
    from that locked or not. Locks end by settlement, by expiry, or with the session they belong to. Whatever changes
    goes to the journal in the same turn.

    Attributes:
        settings: What it was declared with.
        dead_letters: Its dead-letter queue; None when it is one.
        messages: All messages by sequence number, in that order.
        sessions: Its sessions; empty unless it requires them.
        last_sequence_number: The number given out last.
    """

    def __init__(
        self,
        settings: QueueSettings,
        *,
        clock: Callable[[], float],
        journal: Journal,
        wake: Callable[["Queue"], None],
        dead_letters: "Queue | None" = None,
    ) -> None:
        self.settings = settings
        self.dead_letters = dead_letters
        self.messages: dict[int, StoredMessage] = {}
        self.history = DuplicateHistory(settings.duplicate_window_seconds)
        self.sessions = Sessions(settings.lock_seconds, self._has_ready, self._session_freed)
        self.last_sequence_number = 0
        self._clock = clock
        self._journal = journal
        self._wake = wake
        self._bytes = 0
        self._order: list[int] = []
        self._ready: list[int] = []
        self._locked: dict[bytes, StoredMessage] = {}
        self._consumers: list[Consumer] = []
        self._next_consumer = 0
        self._serving: dict[MessageSession, Consumer] = {}
        self._deadlines: Deadlines[int] = Deadlines(lambda number, at: self._due_at(number) == at)

    @property
    def name(self) -> str:
        """The name as declared."""
        return self.settings.name

    # Sending

    def put(self, contents: Sequence[Content]) -> list[int]:
        """Takes all messages or none; returns their sequence numbers.

        A duplicate is accepted and dropped; it is given the number of the message it repeats.

        Raises:
            NotAllowed: A message has no session id and the queue requires one.
            QuotaExceeded: The queue is full.
        """
        size = sum(len(content.raw) for content in contents)
        if self._bytes + size > self.settings.max_bytes:
            raise QuotaExceeded(f"The queue '{self.name}' holds its maximum of {self.settings.max_bytes} bytes.")
        if self.settings.requires_session and any(content.session_id is None for content in contents):
            raise NotAllowed(
                "The SessionId was not set on a message, and it cannot be sent to the entity. "
                f"The entity '{self.name}' requires sessions."
            )
        now = self._clock()
        return [self._put(content, now) for content in contents]

    def cancel_scheduled(self, sequence_numbers: Sequence[int]) -> None:
        """Removes scheduled messages, all or none.

        Raises:
            MessageNotFound: One of them is not scheduled here.
        """
        for message in self._find(sequence_numbers, State.SCHEDULED):
            self._remove(message)

    def _put(self, content: Content, now: float) -> int:
        number = self.last_sequence_number + 1
        if self.settings.duplicate_window_seconds:
            for message_id in self.history.lapsed(now):
                self._journal.forgotten(self.name, message_id)
            seen = self.history.find(content.message_id, now)
            if seen is not None:
                return seen.sequence_number
            self._journal.remembered(
                self.name, content.message_id, self.history.remember(content.message_id, number, now)
            )
        message = StoredMessage(content, number, now)
        if content.scheduled_at is not None and content.scheduled_at > now:
            message.state, message.scheduled_at = State.SCHEDULED, content.scheduled_at
        self._insert(message)
        return number

    def _insert(self, message: StoredMessage) -> None:
        self._journal.added(self.name, message)
        self.restore(message)
        self._place(message)

    def resume(self, message: StoredMessage, *, was_locked: bool) -> None:
        """Makes a restored message available; a lock it had when the broker went down counts as lost."""
        if was_locked:
            self._fail(message)
        else:
            self._place(message)

    def restore(self, message: StoredMessage) -> None:
        """Puts a message into its place in order, without making it available."""
        self.last_sequence_number = max(self.last_sequence_number, message.sequence_number)
        self.messages[message.sequence_number] = message
        self._order.append(message.sequence_number)
        self._bytes += len(message.content.raw)

    def _place(self, message: StoredMessage) -> None:
        """Makes an unlocked message available in the way its state says."""
        if message.state is State.ACTIVE:
            message.expires_at = self._expiry(message)
            if message.expires_at is not None and message.expires_at <= self._clock():
                self._expire(message)
                return
            session_id = message.content.session_id
            if self.settings.requires_session and session_id is not None:
                session = self.sessions.add_ready(session_id, message.sequence_number)
                if session.holder is not None:
                    self._serving[session] = session.holder
            else:
                heapq.heappush(self._ready, message.sequence_number)
        self._note_deadline(message)
        self._wake(self)

    def _expiry(self, message: StoredMessage) -> float | None:
        if self.dead_letters is None:
            return None
        limits = [self.settings.time_to_live_seconds]
        if message.content.ttl_ms is not None:
            limits.append(message.content.ttl_ms / 1000)
        seconds = min((limit for limit in limits if limit is not None), default=None)
        return None if seconds is None else message.enqueued_at + seconds

    # Receiving

    def add_consumer(self, consumer: Consumer) -> None:
        """Serves a receiver from now on, in turn with the others."""
        self._consumers.append(consumer)
        self._wake(self)

    def accept_session(self, consumer: Consumer, session_id: str | None, wait_seconds: float) -> None:
        """Locks a session for a receiver; see `Sessions.accept`."""
        now = self._clock()
        self._advance(now)
        self.sessions.accept(consumer, session_id, wait_seconds=wait_seconds, now=now)
        self._wake(self)

    def remove_consumer(self, consumer: Consumer) -> None:
        """The receiver is gone. Its message locks stay until they expire."""
        self._consumers.remove(consumer)

    def leave_session(self, consumer: Consumer, session_id: str | None) -> None:
        """The receiver is gone: its session is free at once, or it no longer waits for one."""
        self.sessions.leave(consumer, session_id)
        self._wake(self)

    def serve_session(self, session_id: str) -> None:
        """The session's holder takes messages again."""
        session = self.sessions.known.get(session_id)
        if session is not None and session.holder is not None:
            self._serving[session] = session.holder
            self._wake(self)

    def wake(self) -> None:
        """Asks for `pump` at the end of this turn."""
        self._wake(self)

    def pump(self) -> None:
        """Delivers what can be delivered, after doing what was due."""
        now = self._clock()
        self._advance(now)
        self.sessions.serve_waiters(now)
        serving, self._serving = self._serving, {}
        for session, consumer in serving.items():
            while session.holder is consumer and consumer.can_deliver:
                message = self._pop(session.ready)
                if message is None:
                    break
                self._deliver(message, consumer, session, now)
        while self._ready:
            free = self._next_free()
            message = None if free is None else self._pop(self._ready)
            if free is None or message is None:
                return
            self._deliver(message, free, None, now)

    def next_deadline(self) -> float | None:
        """When `pump` should be called although nobody asked."""
        times = (self._deadlines.next(), self.sessions.next_deadline())
        return min((at for at in times if at is not None), default=None)

    def browse(self, from_number: int, session_id: str | None = None) -> Iterator[StoredMessage]:
        """Messages in order, whatever their state, from a sequence number on."""
        self._advance(self._clock())
        for number in self._order[bisect_left(self._order, from_number) :]:
            message = self.messages.get(number)
            if message is not None and (session_id is None or message.content.session_id == session_id):
                yield message

    def receive_deferred(
        self, sequence_numbers: Sequence[int], *, delete: bool, session: MessageSession | None
    ) -> list[StoredMessage]:
        """Takes deferred messages, all or none: locked, or removed when `delete` is set.

        Raises:
            MessageNotFound: One of them is not deferred here, or is locked.
        """
        messages = self._find(sequence_numbers, State.DEFERRED)
        if any(session is not None and message.content.session_id != session.id for message in messages):
            raise MessageNotFound("A message with this sequence number is not part of the session.")
        now = self._clock()
        for message in messages:
            if delete:
                self._remove(message)
            else:
                self._lock(message, session, now)
        return messages

    def _next_free(self) -> Consumer | None:
        count = len(self._consumers)
        for offset in range(count):
            index = (self._next_consumer + offset) % count
            if self._consumers[index].can_deliver:
                self._next_consumer = index + 1
                return self._consumers[index]
        return None

    def _pop(self, ready: list[int]) -> StoredMessage | None:
        return self.messages[heapq.heappop(ready)] if self._has_ready(ready) else None

    def _has_ready(self, ready: list[int]) -> bool:
        while ready and ready[0] not in self.messages:
            heapq.heappop(ready)
        return bool(ready)

    def _deliver(self, message: StoredMessage, consumer: Consumer, session: MessageSession | None, now: float) -> None:
        if consumer.presettled:
            self._remove(message)
            consumer.deliver(message.encode(), None)
        else:
            token = self._lock(message, session, now)
            consumer.deliver(message.encode(), token)

    # Locks

    def complete(self, token: bytes) -> None:
        """The message was handled: it is removed.

        Raises:
            MessageLockLost: As for all settlements, when the lock is over.
        """
        self._remove(self._held(token))

    def abandon(self, token: bytes, properties: Mapping[str, Any] | None = None) -> None:
        """The message was not handled: it becomes available again, or is dead-lettered."""
        message = self._held(token)
        self._modify(message, properties)
        self._unlock(message)
        self._fail(message)

    def release(self, token: bytes) -> None:
        """The message was not looked at: it becomes available again without counting as delivered."""
        message = self._held(token)
        self._unlock(message)
        self._journal.changed(self.name, message)
        self._place(message)

    def defer(self, token: bytes, properties: Mapping[str, Any] | None = None) -> None:
        """The message is set aside; it can be received by its sequence number only."""
        message = self._held(token)
        self._modify(message, properties)
        self._unlock(message)
        message.state = State.DEFERRED
        self._journal.changed(self.name, message)

    def dead_letter(
        self,
        token: bytes,
        reason: str | None = None,
        description: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """The message cannot be handled: it goes to the dead-letter queue.

        Raises:
            NotAllowed: It is there already.
        """
        message = self._held(token)
        self._modify(message, properties)
        self._bury(message, reason, description)

    def renew_lock(self, token: bytes) -> float:
        """Extends a message's lock; returns the new end.

        Raises:
            NotAllowed: The message is locked by its session.
        """
        message = self._held(token)
        if self.settings.requires_session:
            raise NotAllowed("The message is locked by its session; renew the session's lock instead.")
        message.locked_until = self._clock() + self.settings.lock_seconds
        self._note_deadline(message)
        return message.locked_until

    def set_session_state(self, session: MessageSession, state: bytes | None) -> None:
        """Stores what the application wants to keep with a session."""
        session.state, session.updated_at = state, self._clock()
        self._journal.session_changed(self.name, session.id, state, session.updated_at)

    def held_session(self, session_id: str, is_holder: Callable[[Consumer], bool]) -> MessageSession:
        """A session locked by whoever asks; see `Sessions.held`."""
        now = self._clock()
        self._advance(now)
        return self.sessions.held(session_id, is_holder, now)

    def renew_session(self, session: MessageSession) -> float:
        """Extends a session's lock; returns the new end."""
        self._wake(self)
        return self.sessions.renew(session, self._clock())

    def _held(self, token: bytes) -> StoredMessage:
        self._advance(self._clock())
        message = self._locked.get(token)
        if message is None:
            raise MessageLockLost
        return message

    def _lock(self, message: StoredMessage, session: MessageSession | None, now: float) -> bytes:
        token = message.lock_token = uuid4().bytes_le
        self._locked[token] = message
        if session is not None:
            message.locked_until = session.locked_until
            session.locked[token] = message
        else:
            message.locked_until = now + self.settings.lock_seconds
            self._note_deadline(message)
        self._journal.changed(self.name, message)
        self._wake(self)
        return token

    def _unlock(self, message: StoredMessage) -> None:
        token, message.lock_token = message.lock_token, None
        if token is None:
            return
        self._locked.pop(token, None)
        session = self.sessions.known.get(message.content.session_id or "")
        if session is not None:
            session.locked.pop(token, None)

    def _session_freed(self, session: MessageSession, expired: bool) -> None:
        for message in list(session.locked.values()):
            self._unlock(message)
            if expired:
                self._fail(message)
            else:
                self._journal.changed(self.name, message)
                self._place(message)

    # What becomes of messages

    def _fail(self, message: StoredMessage) -> None:
        """A delivery failed: by abandoning, or by a lock that expired."""
        message.delivery_count += 1
        if self.dead_letters is not None and message.delivery_count >= self.settings.max_delivery_count:
            self._bury(
                message,
                "MaxDeliveryCountExceeded",
                f"Message could not be consumed after {self.settings.max_delivery_count} delivery attempts.",
            )
            return
        self._journal.changed(self.name, message)
        self._place(message)

    def _expire(self, message: StoredMessage) -> None:
        if self.settings.dead_letters_on_expiry:
            self._bury(message, "TTLExpiredException", "The message expired and was dead lettered.")
        else:
            self._remove(message)

    def _bury(self, message: StoredMessage, reason: str | None, description: str | None) -> None:
        if self.dead_letters is None:
            raise NotAllowed("The message is in the dead-letter queue already.")
        why = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
        content = with_application_properties(
            message.content, {name: text for name, text in why.items() if text is not None}
        )
        self._remove(message)
        self.dead_letters.take_dead(message, content)

    def take_dead(self, message: StoredMessage, content: Content) -> None:
        """Takes over a message from the queue this is the dead-letter queue of."""
        self._insert(
            StoredMessage(
                content,
                self.last_sequence_number + 1,
                message.enqueued_at,
                delivery_count=message.delivery_count,
                original_sequence_number=message.sequence_number,
            )
        )

    def _modify(self, message: StoredMessage, properties: Mapping[str, Any] | None) -> None:
        if properties:
            content = with_application_properties(message.content, properties)
            self._bytes += len(content.raw) - len(message.content.raw)
            message.content = content
            self._journal.rewritten(self.name, message)

    def _remove(self, message: StoredMessage) -> None:
        self._unlock(message)
        del self.messages[message.sequence_number]
        self._bytes -= len(message.content.raw)
        self._journal.removed(self.name, message.sequence_number)
        session = self.sessions.known.get(message.content.session_id or "")
        if session is not None:
            self.sessions.drop_if_unused(session)
        if len(self._order) > 2 * len(self.messages) + COMPACT_FROM:
            self._order = list(self.messages)

    def _find(self, sequence_numbers: Sequence[int], state: State) -> list[StoredMessage]:
        self._advance(self._clock())
        found = []
        for number in dict.fromkeys(sequence_numbers):
            message = self.messages.get(number)
            if message is None or message.state is not state or message.lock_token is not None:
                raise MessageNotFound(f"No {state.name.lower()} message with the sequence number {number} was found.")
            found.append(message)
        return found

    # Time

    def _note_deadline(self, message: StoredMessage) -> None:
        at = self._due_at(message.sequence_number)
        if at is not None:
            self._deadlines.add(at, message.sequence_number)

    def _due_at(self, sequence_number: int) -> float | None:
        message = self.messages.get(sequence_number)
        if message is None:
            return None
        if message.lock_token is not None:
            return None if self.settings.requires_session else message.locked_until
        if message.state is State.SCHEDULED:
            return message.scheduled_at
        return message.expires_at if message.state is State.ACTIVE else None

    def _advance(self, now: float) -> None:
        """Does what is due: locks, waits, schedules, expiry."""
        for number in self._deadlines.due(now):
            message = self.messages[number]
            if message.lock_token is not None:
                self._unlock(message)
                self._fail(message)
            elif message.state is State.SCHEDULED:
                self._activate(message, now)
            else:
                self._expire(message)
        self.sessions.tick(now)

    def _activate(self, message: StoredMessage, now: float) -> None:
        """A scheduled message arrives now: with a new sequence number, and its time to live begins."""
        self._remove(message)
        self._insert(
            replace(
                message,
                sequence_number=self.last_sequence_number + 1,
                enqueued_at=now,
                state=State.ACTIVE,
                scheduled_at=None,
            )
        )
