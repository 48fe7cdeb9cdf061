"""Users: an open loop of interactive questions, each sent at its moment whatever became of those before it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.evaluations.asking import Asked, questions, send_all
from tests.acceptance.stack import USER

RATE = 2.0
PATIENCE_SECONDS = 60.0
SETTLE_SECONDS = 2.0
"""The first answers of a phase still meet the end of the phase before."""


@dataclass
class Users:
    """Those who asked in one phase."""

    url: str
    seed: int
    asked: list[Asked] = field(default_factory=list)

    def for_seconds(self, seconds: float) -> None:
        """Asks for a while and waits for the last answer."""
        asyncio.run(self._ask(seconds))

    @contextmanager
    def meanwhile(self, most_seconds: float) -> Iterator[None]:
        """Asks while something else goes on, and no longer."""
        over = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._ask(most_seconds, over)), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(PATIENCE_SECONDS + 5)

    async def _ask(self, seconds: float, over: threading.Event | None = None) -> None:
        texts = questions(int(seconds * RATE), self.seed)
        began, tasks = time.monotonic(), list[asyncio.Task[None]]()
        for number, text in enumerate(texts):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            if over is not None and over.is_set():
                break
            entry = Asked(number, text, "interactive", 0.0)
            tasks.append(asyncio.create_task(send_all(self.url, USER, [entry], patience_seconds=PATIENCE_SECONDS)))
            if number / RATE >= SETTLE_SECONDS:
                self.asked.append(entry)
        await asyncio.gather(*tasks)
