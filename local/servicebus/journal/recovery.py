"""Brings a broker back to where its journal says it was."""

import logging
import sqlite3
from collections.abc import Iterator

from local.servicebus.broker.broker import Broker
from local.servicebus.broker.duplicates import Seen
from local.servicebus.broker.errors import BrokerError
from local.servicebus.broker.message import Content, read_content
from local.servicebus.broker.queue import Queue
from local.servicebus.broker.stored import State, StoredMessage
from local.servicebus.journal.schema import message_key

log = logging.getLogger(__name__)


def recover(broker: Broker, connection: sqlite3.Connection) -> int:
    """Restores messages, session states and duplicate history. Locks are not restored: they count as lost.

    What belongs to queues that are no longer declared stays in the journal and comes back when they are.

    Returns:
        How many messages were restored.

    Raises:
        ValueError: The journal is damaged.
    """
    restored: list[tuple[Queue, StoredMessage, bool]] = []
    rows = connection.execute("SELECT id, name, last_sequence_number FROM queue").fetchall()
    for queue_id, name, last_sequence_number in rows:
        queue = broker.queues.get(name)
        if queue is None:
            _report_undeclared(connection, queue_id, name)
            continue
        queue.store.last_sequence_number = last_sequence_number
        _restore_sessions(connection, queue_id, queue)
        _restore_history(connection, queue_id, queue)
        restored += _restore_messages(connection, queue_id, queue)
    for queue, message, was_locked in restored:  # only now: some go to dead-letter queues, which must be complete
        queue.resume(message, was_locked=was_locked)
    return len(restored)


def _restore_messages(
    connection: sqlite3.Connection, queue_id: int, queue: Queue
) -> Iterator[tuple[Queue, StoredMessage, bool]]:
    for row in connection.execute(
        "SELECT content, key, enqueued_at, original_sequence_number, state, delivery_count, is_locked, scheduled_at "
        "FROM message LEFT JOIN progress USING (key) WHERE key >= ? AND key < ? ORDER BY key",
        (message_key(queue_id, 0), message_key(queue_id + 1, 0)),
    ):
        content, key, enqueued_at, original, state, delivery_count, is_locked, scheduled_at = row
        number = key - message_key(queue_id, 0)
        message = StoredMessage(
            _content(content, queue, number),
            number,
            enqueued_at,
            state=State(state or 0),
            delivery_count=delivery_count or 0,
            scheduled_at=scheduled_at,
            original_sequence_number=original,
        )
        queue.store.restore(message)
        yield queue, message, bool(is_locked)


def _content(raw: bytes, queue: Queue, number: int) -> Content:
    try:
        return read_content(raw)
    except BrokerError as error:
        raise ValueError(f"The journal is damaged: message {number} of {queue.name}: {error}") from error


def _restore_sessions(connection: sqlite3.Connection, queue_id: int, queue: Queue) -> None:
    for session_id, state, updated_at in connection.execute(
        "SELECT id, state, updated_at FROM session WHERE queue = ?", (queue_id,)
    ):
        queue.sessions.restore(session_id, state, updated_at)


def _restore_history(connection: sqlite3.Connection, queue_id: int, queue: Queue) -> None:
    for message_id, until, sequence_number in connection.execute(
        "SELECT message_id, until, sequence_number FROM seen WHERE queue = ? ORDER BY until", (queue_id,)
    ):
        queue.history.restore(message_id, Seen(until, sequence_number))


def _report_undeclared(connection: sqlite3.Connection, queue_id: int, name: str) -> None:
    bounds = (message_key(queue_id, 0), message_key(queue_id + 1, 0))
    (count,) = connection.execute("SELECT count(*) FROM message WHERE key >= ? AND key < ?", bounds).fetchone()
    if count:
        log.warning("The journal holds %s messages of the queue %s, which is not declared any more.", count, name)
