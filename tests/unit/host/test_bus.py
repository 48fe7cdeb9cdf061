import asyncio
import datetime as dt
import logging

import pytest
from azure.servicebus.exceptions import MessageLockLostError

from local.host.bus.lock import kept, pause_seconds
from local.host.bus.outage import Outage

NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(("left_seconds", "expected"), [(60, 30), (10, 5), (0.1, 0.2), (0, None), (-5, None)])
def test_a_lock_is_renewed_when_half_of_it_is_over(left_seconds: float, expected: float | None) -> None:
    assert pause_seconds(NOW + dt.timedelta(seconds=left_seconds), NOW) == expected


class Lock:
    """Counts renewals; each lasts as long as it takes to be set free."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.renewals = 0
        self.asked = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def renew(self) -> dt.datetime:
        self.renewals += 1
        self.asked.set()
        await self.free.wait()
        return self.until()

    def until(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.seconds)


async def test_a_short_block_renews_nothing() -> None:
    lock = Lock(30)
    async with kept(lock.renew, lock.until(), most_seconds=300, what="it"):
        await asyncio.sleep(0)
    assert lock.renewals == 0


async def test_a_renewal_on_its_way_is_awaited_before_the_block_is_left() -> None:
    lock = Lock(0.1)
    lock.free.clear()
    async with kept(lock.renew, lock.until(), most_seconds=300, what="it"):
        await lock.asked.wait()
        asyncio.get_running_loop().call_later(0.05, lock.free.set)
    assert lock.free.is_set()


async def test_renewal_ends_with_its_allowance() -> None:
    lock = Lock(0.1)
    async with kept(lock.renew, lock.until(), most_seconds=0.1, what="it"):
        await asyncio.sleep(0.3)
    assert lock.renewals == 0


async def test_a_lost_lock_is_told_and_the_block_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    asked = asyncio.Event()

    async def lost() -> dt.datetime:
        asked.set()
        raise MessageLockLostError

    async with kept(lost, dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.1), most_seconds=300, what="message 7"):
        await asked.wait()
    assert "The lock of message 7 could not be renewed" in caplog.text


def test_an_outage_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage = Outage("work", "chat")
    outage.over()
    pauses = [outage.failed(ConnectionError("gone")) for _ in range(20)]
    outage.over()
    outage.over()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "Function work cannot receive from chat and tries until it can: gone",
        "Function work receives from chat again.",
    ]
    assert pauses[0] <= 0.2
    assert all(2.5 <= pause <= 5 for pause in pauses[-5:])
