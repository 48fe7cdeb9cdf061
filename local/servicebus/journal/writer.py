"""Collects what happens during a turn and writes it in one transaction."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from local.servicebus.broker.duplicates import Seen
from local.servicebus.broker.stored import State, StoredMessage
from local.servicebus.journal.schema import message_key


class JournalWriter:
    """The journal of a broker with a data folder.

    Within a turn only the outcome counts: a message that came and went is not written, one that changed twice is
    written once.
    """

    def __init__(self, connection: sqlite3.Connection, queues: Iterable[str]) -> None:
        self._connection = connection
        self._ids = _register(connection, queues)
        self._added: dict[int, StoredMessage] = {}
        self._rewritten: dict[int, StoredMessage] = {}
        self._changed: dict[int, StoredMessage] = {}
        self._removed: set[int] = set()
        self._last_numbers: dict[int, int] = {}
        self._sessions: dict[tuple[int, str], tuple[bytes | None, float]] = {}
        self._seen: dict[tuple[int, bytes], Seen | None] = {}

    def added(self, queue: str, message: StoredMessage) -> None:
        """A message entered the queue."""
        queue_id = self._ids[queue]
        key = message_key(queue_id, message.sequence_number)
        self._added[key] = message
        self._last_numbers[queue_id] = message.sequence_number
        if message.state is not State.ACTIVE or message.delivery_count:
            self._changed[key] = message

    def rewritten(self, queue: str, message: StoredMessage) -> None:
        """A message's content changed."""
        key = message_key(self._ids[queue], message.sequence_number)
        if key not in self._added:
            self._rewritten[key] = message

    def changed(self, queue: str, message: StoredMessage) -> None:
        """State, delivery count, lock or schedule changed."""
        self._changed[message_key(self._ids[queue], message.sequence_number)] = message

    def removed(self, queue: str, sequence_number: int) -> None:
        """A message left the queue."""
        key = message_key(self._ids[queue], sequence_number)
        self._changed.pop(key, None)
        self._rewritten.pop(key, None)
        if self._added.pop(key, None) is None:
            self._removed.add(key)

    def session_changed(self, queue: str, session_id: str, state: bytes | None, updated_at: float) -> None:
        """A session's state was set; None clears it."""
        self._sessions[self._ids[queue], session_id] = (state, updated_at)

    def remembered(self, queue: str, message_id: bytes, seen: Seen) -> None:
        """Duplicate detection has a new id."""
        self._seen[self._ids[queue], message_id] = seen

    def forgotten(self, queue: str, message_id: bytes) -> None:
        """Duplicate detection no longer needs an id."""
        self._seen[self._ids[queue], message_id] = None

    def commit(self) -> None:
        """Writes everything since the last commit.

        Raises:
            sqlite3.Error: It could not be written, for example because the disk is full. Nothing of it was.
        """
        work = list(self._statements())
        if not work:
            return
        execute, execute_many = self._connection.execute, self._connection.executemany
        execute("BEGIN")
        try:
            for statement, rows in work:
                execute_many(statement, rows)
            execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        for pending in (self._added, self._rewritten, self._changed, self._last_numbers, self._sessions, self._seen):
            pending.clear()
        self._removed.clear()

    def _statements(self) -> Iterable[tuple[str, list[tuple[Any, ...]]]]:
        """What has to be done, each with the rows it is done for."""
        if self._removed:
            keys = [(key,) for key in self._removed]
            yield "DELETE FROM message WHERE key = ?", keys
            yield "DELETE FROM progress WHERE key = ?", keys
        if self._added:
            yield "INSERT INTO message VALUES (?, ?, ?, ?)", [_row(*entry) for entry in self._added.items()]
        if self._rewritten:
            rows = [(message.content.raw, key) for key, message in self._rewritten.items()]
            yield "UPDATE message SET content = ? WHERE key = ?", rows
        if self._changed:
            yield (
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?)",
                [_progress(*entry) for entry in self._changed.items()],
            )
        if self._last_numbers:
            numbers = [(number, queue) for queue, number in self._last_numbers.items()]
            yield "UPDATE queue SET last_sequence_number = ? WHERE id = ?", numbers
        yield from self._session_statements()
        yield from self._seen_statements()

    def _session_statements(self) -> Iterable[tuple[str, list[tuple[Any, ...]]]]:
        kept = [(*key, *value) for key, value in self._sessions.items() if value[0] is not None]
        cleared = [key for key, value in self._sessions.items() if value[0] is None]
        if kept:
            yield "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", kept
        if cleared:
            yield "DELETE FROM session WHERE queue = ? AND id = ?", cleared

    def _seen_statements(self) -> Iterable[tuple[str, list[tuple[Any, ...]]]]:
        kept = [(*key, seen.until, seen.sequence_number) for key, seen in self._seen.items() if seen is not None]
        lapsed = [key for key, seen in self._seen.items() if seen is None]
        if kept:
            yield "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", kept
        if lapsed:
            yield "DELETE FROM seen WHERE queue = ? AND message_id = ?", lapsed


def _register(connection: sqlite3.Connection, queues: Iterable[str]) -> dict[str, int]:
    names = {name: name.lower() for name in queues}
    connection.executemany("INSERT OR IGNORE INTO queue (name) VALUES (?)", [(name,) for name in names.values()])
    ids = dict(connection.execute("SELECT name, id FROM queue"))
    return {name: ids[key] for name, key in names.items()}


def _row(key: int, message: StoredMessage) -> tuple[Any, ...]:
    return key, message.content.raw, message.enqueued_at, message.original_sequence_number


def _progress(key: int, message: StoredMessage) -> tuple[Any, ...]:
    is_locked = message.lock_token is not None
    return key, int(message.state), message.delivery_count, is_locked, message.scheduled_at
