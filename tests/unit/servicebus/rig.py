"""A broker with a clock that is moved by hand, and receivers that only remember."""

from dataclasses import dataclass, field
from typing import Any

from local.servicebus.amqp.decoder import decode
from local.servicebus.amqp.encoder import described, encode
from local.servicebus.amqp.types import Symbol, Timestamp
from local.servicebus.broker.broker import Broker
from local.servicebus.broker.errors import BrokerError
from local.servicebus.broker.journal import Journal, NoJournal
from local.servicebus.broker.message import Content, read_content, sections
from local.servicebus.broker.queue import Queue
from local.servicebus.broker.settings import QueueSettings


@dataclass
class Clock:
    """Seconds since the epoch, as the test says."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Receiver:
    """Takes as many messages as it has credit for."""

    credit: int = 0
    presettled: bool = False
    messages: list[bytes] = field(default_factory=list)
    tokens: list[bytes | None] = field(default_factory=list)
    session_id: str | None = None
    locked_until: float = 0.0
    errors: list[BrokerError] = field(default_factory=list)

    @property
    def can_deliver(self) -> bool:
        return self.credit > 0

    def deliver(self, message: bytes, token: bytes | None) -> None:
        self.credit -= 1
        self.messages.append(message)
        self.tokens.append(token)

    def session_granted(self, session_id: str, locked_until: float) -> None:
        self.session_id, self.locked_until = session_id, locked_until

    def session_refused(self, error: BrokerError) -> None:
        self.errors.append(error)

    def session_lost(self, error: BrokerError) -> None:
        self.errors.append(error)

    @property
    def token(self) -> bytes:
        """The lock of the message received last."""
        token = self.tokens[-1]
        assert token is not None
        return token

    @property
    def bodies(self) -> list[str]:
        return [body_of(message) for message in self.messages]


class Rig:
    """A broker with one queue `q` and its dead letters."""

    def __init__(self, journal: Journal | None = None, clock: Clock | None = None, **settings: Any) -> None:
        self.clock = clock or Clock()
        options = {"lock_seconds": 60.0, "max_delivery_count": 3, **settings}
        self.journal = journal or NoJournal()
        self.broker = Broker([QueueSettings(name="q", **options)], self.journal, self.clock)

    @property
    def queue(self) -> Queue:
        return self.broker.find("q")

    @property
    def dead(self) -> Queue:
        return self.broker.find("q/$DeadLetterQueue")

    def put(self, *bodies: str, **options: Any) -> list[int]:
        return self.queue.put([content(body, **options) for body in bodies])

    def receive(self, receiver: Receiver | None = None, *, credit: int = 1, queue: Queue | None = None) -> Receiver:
        """Gives a receiver credit and ends the turn."""
        target = queue or self.queue
        if receiver is None:
            receiver = Receiver()
            target.add_consumer(receiver)
        receiver.credit += credit
        if receiver.session_id is not None:
            target.serve_session(receiver.session_id)
        target.wake()
        self.broker.finish_turn()
        return receiver

    def accept(self, session_id: str | None = None, *, wait_seconds: float = 60) -> Receiver:
        receiver = Receiver()
        self.queue.accept_session(receiver, session_id, wait_seconds)
        self.broker.finish_turn()
        return receiver

    def pass_time(self, seconds: float) -> None:
        """Moves the clock and does what is due then."""
        self.clock.now += seconds
        self.broker.tick()
        self.broker.finish_turn()

    def held(self, queue: Queue | None = None) -> list[str]:
        """Bodies of everything the queue holds, in order."""
        return [body_of(message.encode()) for message in (queue or self.queue).browse(0)]


def content(
    body: str, *, message_id: str | None = None, session_id: str | None = None, scheduled_at: float | None = None
) -> Content:
    """A message with a text body, as a client would have sent it."""
    annotations = b""
    if scheduled_at is not None:
        stamp = {Symbol("x-opt-scheduled-enqueue-time"): Timestamp(int(scheduled_at * 1000))}
        annotations = described(0x72, encode(stamp))
    properties = described(0x73, encode([message_id, *([None] * 9), session_id]))
    return read_content(annotations + properties + described(0x75, encode(body.encode())))


def body_of(message: bytes) -> str:
    """The text body of an encoded message."""
    section = next(section for section in sections(message) if section.code == 0x75)
    return bytes(decode(message, section.value)[0]).decode()
