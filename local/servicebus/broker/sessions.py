"""Message sessions of one queue: who holds which, which have something to receive, who waits for one."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from local.servicebus.broker.consumer import Consumer
from local.servicebus.broker.deadlines import Deadlines
from local.servicebus.broker.errors import BadRequest, SessionCannotBeLocked, SessionLockLost, Timeout
from local.servicebus.broker.stored import StoredMessage

MAX_ID_CHARACTERS = 128


@dataclass(slots=True, eq=False)
class MessageSession:
    """One session.

    Attributes:
        id: The session id.
        ready: Heap of sequence numbers that can be received.
        locked: Messages its holder has not settled, by lock token.
        holder: The receiver that holds it.
        locked_until: End of that lock in seconds since the epoch.
        state: What the application stored with it.
        updated_at: When the state was set.
    """

    id: str
    ready: list[int] = field(default_factory=list)
    locked: dict[bytes, StoredMessage] = field(default_factory=dict)
    holder: Consumer | None = None
    locked_until: float = 0.0
    state: bytes | None = None
    updated_at: float = 0.0


@dataclass(slots=True, frozen=True)
class _Waiter:
    consumer: Consumer
    until: float


class Sessions:
    """All sessions of a queue.

    A session is *known* while it has a holder, messages or a state. It is *available* while it has messages and no
    holder; those that became available first are given out first.
    """

    def __init__(
        self, lock_seconds: float, has_ready: Callable[[list[int]], bool], freed: Callable[[MessageSession, bool], None]
    ) -> None:
        self.known: dict[str, MessageSession] = {}
        self._lock_seconds = lock_seconds
        self._has_ready = has_ready
        self._freed = freed
        self._available: dict[str, None] = {}
        self._waiters: dict[int, _Waiter] = {}
        self._waiter_numbers = 0
        self._locks: Deadlines[str] = Deadlines(self._lock_ends)
        self._waits: Deadlines[int] = Deadlines(lambda number, _at: number in self._waiters)

    def add_ready(self, session_id: str, sequence_number: int) -> MessageSession:
        """A message of the session can be received."""
        session = self._get(session_id)
        heapq.heappush(session.ready, sequence_number)
        if session.holder is None:
            self._available[session_id] = None
        return session

    def accept(self, consumer: Consumer, session_id: str | None, *, wait_seconds: float, now: float) -> None:
        """Locks a session for a receiver: the named one at once, or the next available one within the wait.

        Raises:
            SessionCannotBeLocked: Another receiver holds the named session.
            BadRequest: The name is too long.
        """
        if session_id is None:
            self._waiter_numbers += 1
            self._waiters[self._waiter_numbers] = _Waiter(consumer, now + wait_seconds)
            self._waits.add(now + wait_seconds, self._waiter_numbers)
            self.serve_waiters(now)
            return
        if len(session_id) > MAX_ID_CHARACTERS:
            raise BadRequest(f"A session id has at most {MAX_ID_CHARACTERS} characters.")
        session = self._get(session_id)
        if session.holder is not None and session.locked_until > now:
            raise SessionCannotBeLocked(
                f"The requested session '{session_id}' cannot be accepted. It may be locked by another receiver."
            )
        self._grant(session, consumer, now)

    def serve_waiters(self, now: float) -> None:
        """Gives available sessions to those who wait longest."""
        while self._waiters and self._available:
            session_id = next(iter(self._available))
            del self._available[session_id]
            session = self.known.get(session_id)
            if session is None or session.holder is not None or not self._has_ready(session.ready):
                continue
            number = next(iter(self._waiters))
            self._grant(session, self._waiters.pop(number).consumer, now)

    def leave(self, consumer: Consumer, session_id: str | None) -> None:
        """The receiver is gone: the session it held is free, or it no longer waits for one."""
        if session_id is None:
            self._waiters = {number: each for number, each in self._waiters.items() if each.consumer is not consumer}
            return
        session = self.known.get(session_id)
        if session is not None and session.holder is consumer:
            self._free(session, expired=False)

    def held(self, session_id: str, is_holder: Callable[[Consumer], bool], now: float) -> MessageSession:
        """The session, when it is locked by whoever asks.

        Raises:
            SessionLockLost: It is not.
        """
        session = self.known.get(session_id)
        if session is None or session.holder is None or session.locked_until <= now or not is_holder(session.holder):
            raise SessionLockLost(session_id)
        return session

    def renew(self, session: MessageSession, now: float) -> float:
        """Extends a session's lock, and with it its messages' locks; returns the new end."""
        session.locked_until = now + self._lock_seconds
        for message in session.locked.values():
            message.locked_until = session.locked_until
        self._locks.add(session.locked_until, session.id)
        return session.locked_until

    def drop_if_unused(self, session: MessageSession) -> None:
        """Forgets a session that nothing refers to."""
        if session.holder is not None or session.state is not None or session.locked or self._has_ready(session.ready):
            return
        if self.known.get(session.id) is session:
            del self.known[session.id]
            self._available.pop(session.id, None)

    def listed(self, updated_after: float | None) -> Iterator[str]:
        """Ids of sessions with messages or a state, or of those whose state was set after a time."""
        for session_id, session in sorted(self.known.items()):
            if updated_after is None:
                if session.state is not None or session.locked or self._has_ready(session.ready):
                    yield session_id
            elif session.state is not None and session.updated_at > updated_after:
                yield session_id

    def tick(self, now: float) -> None:
        """Ends locks and waits whose time is over."""
        for session_id in self._locks.due(now):
            session = self.known[session_id]
            holder = session.holder
            self._free(session, expired=True)
            if holder is not None:
                holder.session_lost(SessionLockLost(session_id))
        for number in self._waits.due(now):
            waiter = self._waiters.pop(number)
            waiter.consumer.session_refused(Timeout("The operation did not complete within the allotted timeout."))
        self.serve_waiters(now)

    def next_deadline(self) -> float | None:
        """When `tick` may have something to do."""
        return min((at for at in (self._locks.next(), self._waits.next()) if at is not None), default=None)

    def restore(self, session_id: str, state: bytes, updated_at: float) -> None:
        """Puts back what a journal kept."""
        session = self._get(session_id)
        session.state, session.updated_at = state, updated_at

    def _get(self, session_id: str) -> MessageSession:
        session = self.known.get(session_id)
        if session is None:
            session = self.known[session_id] = MessageSession(session_id)
        return session

    def _grant(self, session: MessageSession, consumer: Consumer, now: float) -> None:
        if session.holder is not None:
            self._free(session, expired=True)
        self._available.pop(session.id, None)
        self.known[session.id] = session
        session.holder = consumer
        session.locked_until = now + self._lock_seconds
        self._locks.add(session.locked_until, session.id)
        consumer.session_granted(session.id, session.locked_until)

    def _free(self, session: MessageSession, *, expired: bool) -> None:
        session.holder = None
        self._freed(session, expired)
        if self._has_ready(session.ready):
            self._available[session.id] = None
        self.drop_if_unused(session)

    def _lock_ends(self, session_id: str, at: float) -> bool:
        session = self.known.get(session_id)
        return session is not None and session.holder is not None and session.locked_until == at
