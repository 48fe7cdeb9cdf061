"""Items whose lifetime is over are removed again and again, also after the disk was full for a while."""

import asyncio
import sqlite3
from typing import cast

import pytest

from local.cosmos import server
from local.cosmos.rows import Rows


class FullOnce:
    def __init__(self) -> None:
        self.calls = 0
        self.enough = asyncio.Event()

    def purge(self) -> int:
        self.calls += 1
        if self.calls == 1:
            raise sqlite3.OperationalError("database or disk is full")
        if self.calls == 3:
            self.enough.set()
        return 0


async def test_a_full_disk_ends_neither_the_service_nor_the_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PURGE_EVERY_SECONDS", 0.0)
    rows = FullOnce()
    purging = asyncio.create_task(server._purge(cast(Rows, rows)))
    enough = asyncio.create_task(rows.enough.wait())
    done, _ = await asyncio.wait({purging, enough}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    purging.cancel()

    assert done == {enough}
