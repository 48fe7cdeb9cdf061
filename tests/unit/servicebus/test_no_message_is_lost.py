"""Random lives of a queue: every message is in exactly one place, also after a crash at any time."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from local.servicebus.broker.stored import State
from local.servicebus.journal.recovery import recover
from local.servicebus.journal.schema import open_file
from local.servicebus.journal.writer import JournalWriter
from tests.unit.servicebus.rig import Clock, Receiver, Rig, body_of

MAX_DELIVERIES = 3


class QueueLife(RuleBasedStateMachine):
    """Sends, receives, settles, waits and crashes; remembers only which messages must still exist."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.clock = Clock()
        self.expected: set[str] = set()
        self.sent = 0
        self.start()

    def start(self) -> None:
        self.connection = open_file(Path(self.folder.name), "normal")
        journal = JournalWriter(self.connection, ["q", "q/$deadletterqueue"])
        self.rig = Rig(journal=journal, clock=self.clock, lock_seconds=10, max_delivery_count=MAX_DELIVERIES)
        recover(self.rig.broker, self.connection)
        self.receiver: Receiver = self.rig.receive(credit=0)
        self.locks: dict[bytes, str] = {}

    @rule(count=st.integers(1, 4))
    def send(self, count: int) -> None:
        bodies = [f"m{self.sent + index}" for index in range(count)]
        self.rig.put(*bodies)
        self.sent += count
        self.expected.update(bodies)
        self.rig.broker.finish_turn()

    @rule(seconds=st.integers(1, 30))
    def schedule(self, seconds: int) -> None:
        self.rig.put(f"m{self.sent}", scheduled_at=self.clock.now + seconds)
        self.expected.add(f"m{self.sent}")
        self.sent += 1
        self.rig.broker.finish_turn()

    @rule(credit=st.integers(1, 3))
    def receive(self, credit: int) -> None:
        known = len(self.receiver.messages)
        self.rig.receive(self.receiver, credit=credit)
        for token, body in zip(self.receiver.tokens[known:], self.receiver.bodies[known:], strict=True):
            assert token is not None
            self.locks[token] = body
        self.receiver.credit = 0

    @precondition(lambda self: self.live_locks())
    @rule(data=st.data(), outcome=st.sampled_from(["complete", "abandon", "release", "defer", "dead_letter"]))
    def settle(self, data: st.DataObject, outcome: str) -> None:
        token = data.draw(st.sampled_from(self.live_locks()))
        settle: Callable[[bytes], None] = getattr(self.rig.queue, outcome)
        settle(token)
        if outcome == "complete":
            self.expected.remove(self.locks[token])
        self.rig.broker.finish_turn()

    @precondition(lambda self: self.deferred())
    @rule(data=st.data())
    def receive_deferred(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.deferred()))
        (message,) = self.rig.queue.receive_deferred([number], delete=True, session=None)
        self.expected.remove(body_of(message.encode()))
        self.rig.broker.finish_turn()

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        self.rig.pass_time(seconds)

    @rule()
    def crash(self) -> None:
        self.connection.close()
        self.start()

    @invariant()
    def every_message_is_in_exactly_one_place(self) -> None:
        held = self.rig.held() + self.rig.held(self.rig.dead)
        assert sorted(held) == sorted(self.expected)

    @invariant()
    def numbers_increase_and_counts_stay_below_the_maximum(self) -> None:
        for queue in (self.rig.queue, self.rig.dead):
            numbers = list(queue.store.messages)
            assert numbers == sorted(set(numbers))
        assert all(message.delivery_count < MAX_DELIVERIES for message in self.rig.queue.store.messages.values())

    def live_locks(self) -> list[bytes]:
        """In the order of locking: tokens are random, and a life must be the same when it is lived again."""
        return [token for token in self.locks if token in self.rig.queue.store.locked]

    def deferred(self) -> list[int]:
        messages = self.rig.queue.store.messages.values()
        return [each.sequence_number for each in messages if each.state is State.DEFERRED and each.lock_token is None]

    def teardown(self) -> None:
        self.connection.close()
        self.folder.cleanup()


TestQueueLife = QueueLife.TestCase
TestQueueLife.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
