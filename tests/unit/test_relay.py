"""Text reaches the instance that holds the caller, however long that has gone on and whatever went wrong before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from shared.answering.relay import RelayOutbox
from shared.events import News
from shared.policies.pacing import GROWTH

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
