"""What the journal writes, and what a broker is after recovery."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.servicebus.broker.broker import Broker
from local.servicebus.broker.journal import NoJournal
from local.servicebus.broker.settings import QueueSettings
from local.servicebus.broker.stored import State
from local.servicebus.journal.recovery import recover
from local.servicebus.journal.schema import open_file
from local.servicebus.journal.writer import JournalWriter
from tests.unit.servicebus.rig import Clock, Rig

NAMES = ["q", "q/$deadletterqueue"]


class Disk:
    """A data folder, and rigs on it; opening the next one is what a restart after a crash is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.connection: sqlite3.Connection | None = None

    def start(self, **settings: object) -> Rig:
        if self.connection is not None:
            self.connection.close()
        self.connection = open_file(self.folder, "normal")
        rig = Rig(journal=JournalWriter(self.connection, NAMES), clock=self.clock, **settings)
        recover(rig.broker, self.connection)
        rig.broker.finish_turn()
        return rig

    def rows(self, table: str) -> int:
        assert self.connection is not None
        return int(self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    opened = Disk(tmp_path / "data")
    yield opened
    if opened.connection is not None:
        opened.connection.close()


def test_messages_come_back_in_order_with_their_numbers(disk: Disk) -> None:
    rig = disk.start()
    rig.put("a", "b", "c")
    rig.queue.complete(rig.receive().token)
    rig.broker.finish_turn()

    rig = disk.start()

    assert rig.held() == ["b", "c"]
    assert [message.sequence_number for message in rig.queue.browse(0)] == [2, 3]
    assert rig.put("d") == [4]


def test_what_was_not_committed_is_gone_and_what_was_is_there(disk: Disk) -> None:
    rig = disk.start()
    rig.put("committed")
    rig.broker.finish_turn()
    rig.put("not yet")

    assert disk.start().held() == ["committed"]


def test_numbers_are_never_given_out_twice(disk: Disk) -> None:
    rig = disk.start()
    rig.put("a", "b")
    receiver = rig.receive(credit=2)
    for token in receiver.tokens:
        assert token is not None
        rig.queue.complete(token)
    rig.broker.finish_turn()

    assert disk.start().put("c") == [3]


def test_a_lock_at_the_crash_counts_as_a_failed_delivery(disk: Disk) -> None:
    rig = disk.start(max_delivery_count=2)
    rig.put("a")
    rig.receive()

    rig = disk.start(max_delivery_count=2)
    assert rig.queue.store.messages[1].delivery_count == 1
    rig.receive()
    rig = disk.start(max_delivery_count=2)

    assert (rig.held(), rig.held(rig.dead)) == ([], ["a"])
    assert disk.start().held(rig.dead) == ["a"]


def test_states_schedules_and_counts_come_back(disk: Disk) -> None:
    rig = disk.start()
    rig.put("deferred", "failed")
    rig.put("scheduled", scheduled_at=disk.clock.now + 50)
    receiver = rig.receive(credit=2)
    deferred, failed = receiver.tokens
    assert deferred is not None
    assert failed is not None
    rig.queue.defer(deferred, {"why": "later"})
    rig.queue.abandon(failed)
    rig.broker.finish_turn()

    rig = disk.start()

    states = {number: (message.state, message.delivery_count) for number, message in rig.queue.store.messages.items()}
    assert states == {1: (State.DEFERRED, 0), 2: (State.ACTIVE, 1), 3: (State.SCHEDULED, 0)}
    assert b"later" in rig.queue.store.messages[1].content.raw
    rig.pass_time(50)
    assert rig.receive(credit=2).bodies == ["failed", "scheduled"]


def test_time_that_passed_while_the_broker_was_down_counts(disk: Disk) -> None:
    settings = {"time_to_live_seconds": 30, "dead_letters_on_expiry": True}
    rig = disk.start(**settings)
    rig.put("old")
    rig.put("due", scheduled_at=disk.clock.now + 10)
    rig.broker.finish_turn()
    disk.clock.now += 35

    rig = disk.start(**settings)

    assert rig.held(rig.dead) == ["old"]
    assert rig.receive().bodies == ["due"]


def test_dead_letters_come_back_with_reason_and_original_number(disk: Disk) -> None:
    rig = disk.start()
    rig.put("a")
    rig.queue.dead_letter(rig.receive().token, "reason")
    rig.broker.finish_turn()

    rig = disk.start()

    (message,) = rig.dead.browse(0)
    assert b"DeadLetterReason" in message.content.raw
    assert message.original_sequence_number == 1


def test_sessions_and_history_come_back(disk: Disk) -> None:
    settings = {"requires_session": True, "duplicate_window_seconds": 60}
    rig = disk.start(**settings)
    rig.put("x", session_id="a", message_id="same")
    rig.accept("a")
    rig.queue.set_session_state(rig.queue.held_session("a", lambda _: True), b"s")
    rig.broker.finish_turn()

    rig = disk.start(**settings)

    assert rig.put("y", session_id="a", message_id="same") == [1]
    assert rig.receive(rig.accept("a"), credit=2).bodies == ["x"]
    session = rig.queue.held_session("a", lambda _: True)
    assert session.state == b"s"
    rig.queue.set_session_state(session, None)
    rig.pass_time(61)
    rig.put("z", session_id="a", message_id="other")
    rig.broker.finish_turn()
    assert (disk.rows("session"), disk.rows("seen")) == (0, 1)


def test_nothing_is_left_of_messages_that_are_gone(disk: Disk) -> None:
    rig = disk.start()
    rig.put("a", "b")
    receiver = rig.receive()
    rig.queue.abandon(receiver.token)
    rig.broker.finish_turn()
    for _ in range(2):
        rig.receive(receiver)
        rig.queue.complete(receiver.token)
        rig.broker.finish_turn()

    assert (disk.rows("message"), disk.rows("progress")) == (0, 0)


def test_a_message_that_comes_and_goes_in_one_turn_is_not_written(disk: Disk) -> None:
    rig = disk.start()
    receiver = rig.receive(credit=1)
    receiver.presettled = True
    assert disk.connection is not None
    before = disk.connection.total_changes
    rig.put("a")
    rig.broker.finish_turn()

    assert receiver.bodies == ["a"]
    assert disk.connection.total_changes - before == 1


def test_messages_of_a_queue_that_is_no_longer_declared_stay(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    rig = disk.start()
    rig.put("a")
    rig.broker.finish_turn()
    assert disk.connection is not None
    other = Broker([QueueSettings(name="other")], NoJournal(), disk.clock)
    assert recover(other, disk.connection) == 0
    assert "1 messages of the queue q, which is not declared" in caplog.text
    assert disk.start().held() == ["a"]


def test_a_failed_commit_is_reported_and_writes_nothing(disk: Disk) -> None:
    rig = disk.start()
    rig.put("kept")
    rig.broker.finish_turn()
    assert disk.connection is not None
    disk.connection.execute("PRAGMA query_only = 1")
    rig.put("lost")
    with pytest.raises(sqlite3.OperationalError):
        rig.broker.finish_turn()
    disk.connection.execute("PRAGMA query_only = 0")

    assert disk.start().held() == ["kept"]


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    connection = open_file(tmp_path, "full")
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(ValueError, match="has version 99; this service reads version 1"):
        open_file(tmp_path, "normal")


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "servicebus.db").write_bytes(b"no database " * 100)

    with pytest.raises(ValueError, match="cannot be used"):
        open_file(tmp_path, "normal")
