"""Text reaches the instance that holds the caller, however long that has gone on and whatever went wrong before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from shared.answering.live import Board
from shared.answering.relay import RelayListener, RelayOutbox
from shared.errors import Unavailable
from shared.events import News
from shared.policies.pacing import GROWTH
from tests.unit.fleet import VirtualClock

INSTANCE = "http-1"
WHERE_A_FLOAT_OVERFLOWS = round(1024 / (GROWTH - 1))


@dataclass
class Wire:
    """Takes what is sent; the first sends may fail."""

    failures: list[Exception] = field(default_factory=list)
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    taken: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    async def send(self, destination: str, news: Sequence[News]) -> None:
        assert destination == INSTANCE
        if self.failures:
            self.failed.set()
            raise self.failures.pop()
        for piece in news:
            self.taken.put_nowait(piece.turn_id)

    def listen(self, instance: str) -> AsyncIterator[list[News]]:
        raise NotImplementedError(instance)


def first_token(turn_id: str) -> News:
    return News(turn_id, 1, 0, "A")


def test_a_destination_that_is_busy_without_a_rest_gets_every_first_token() -> None:
    async def scenario() -> None:
        wire = Wire()
        outbox = RelayOutbox(wire)
        for number in range(WHERE_A_FLOAT_OVERFLOWS):
            outbox.add(INSTANCE, first_token(str(number)))
            async with asyncio.timeout(10):
                assert await wire.taken.get() == str(number)
        await outbox.close()

    asyncio.run(scenario())


def test_after_a_fault_that_nobody_expected_the_next_text_goes_out_again() -> None:
    async def scenario() -> None:
        wire = Wire([KeyError("nobody expected this")])
        outbox = RelayOutbox(wire)
        outbox.add(INSTANCE, first_token("lost"))
        await wire.failed.wait()
        outbox.add(INSTANCE, first_token("next"))
        async with asyncio.timeout(10):
            assert await wire.taken.get() == "next"
        await outbox.close()

    asyncio.run(scenario())


class Silences:
    """A relay that ends by itself after each message, and is away the second time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.began_at = clock, list[float]()

    async def send(self, destination: str, news: Sequence[News]) -> None:
        raise NotImplementedError(destination, news)

    async def listen(self, instance: str) -> AsyncIterator[list[News]]:
        assert instance == INSTANCE
        self.began_at.append(self.clock.monotonic())
        if len(self.began_at) == 2:
            raise Unavailable("The relay does not answer.")
        await self.clock.sleep(540)
        yield [first_token(str(len(self.began_at)))]


def test_a_listener_goes_on_after_a_silence_at_once_and_after_a_fault_in_a_second() -> None:
    async def scenario() -> list[float]:
        clock = VirtualClock()
        relay, start = Silences(clock), clock.monotonic()
        listener = RelayListener(relay, Board(), instance=INSTANCE, clock=clock)
        listener.start()
        await clock.run_until(start + 1_500)
        await listener.close()
        return [moment - start for moment in relay.began_at]

    assert asyncio.run(scenario()) == [0, 540, 541, 1_081]
