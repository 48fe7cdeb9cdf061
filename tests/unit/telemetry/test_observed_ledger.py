"""The observed ledger passes everything on and tells what became of it."""

from dataclasses import dataclass
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.ports import LedgerEntry
from shared.telemetry.facts import LedgerAsked
from shared.telemetry.observed_ledger import ObservedLedger
from shared.telemetry.recorder import Recorder
from tests.unit.evaluating.support import HeldClock

ENTRY = LedgerEntry({"spent": 1.0}, "v1")
TAKE: dict[str, Any] = {"slot": 1, "tokens": 5.0, "requests": 1, "urgent": 0.0, "token_ceiling": 9.0}
TAKE |= {"request_ceiling": 3.0}


@dataclass
class Ledger:
    """Answers what the test wants, after a quarter of a second."""

    clock: HeldClock
    answer: LedgerEntry | Exception | None
    given: Any = None

    async def _answered(self, *given: Any) -> LedgerEntry | None:
        self.given = given
        self.clock.at += 0.25
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def read(self, name: str) -> LedgerEntry | None:
        return await self._answered(name)

    async def write(
        self, name: str, account: dict[str, Any], *, version: str | None, lasting: bool = False
    ) -> LedgerEntry | None:
        return await self._answered(name, account, version, lasting)

    async def take(self, name: str, **words: Any) -> LedgerEntry | None:
        return await self._answered(name, words)


@pytest.mark.parametrize(
    ("operation", "answer", "outcome"),
    [
        ("read", ENTRY, "done"),
        ("read", None, "done"),
        ("read", Unavailable(), "away"),
        ("write", ENTRY, "done"),
        ("write", None, "refused"),
        ("take", ENTRY, "done"),
        ("take", None, "refused"),
        ("take", Unavailable(), "away"),
    ],
)
async def test_an_operation_is_told_with_its_outcome_and_time(
    operation: str, answer: LedgerEntry | Exception | None, outcome: str
) -> None:
    clock, recorder = HeldClock(), Recorder()
    ledger = Ledger(clock, answer)
    observed = ObservedLedger(ledger, recorder, clock)
    work = {
        "read": lambda: observed.read("chat-0"),
        "write": lambda: observed.write("chat-0", {"a": 1}, version="v", lasting=True),
        "take": lambda: observed.take("chat-0", **TAKE),
    }[operation]
    if isinstance(answer, Exception):
        with pytest.raises(Unavailable):
            await work()
    else:
        assert await work() is answer

    assert recorder.of(LedgerAsked) == [LedgerAsked("chat-0", operation, outcome, pytest.approx(0.25))]
    assert (
        ledger.given
        == {
            "read": ("chat-0",),
            "write": ("chat-0", {"a": 1}, "v", True),
            "take": ("chat-0", TAKE),
        }[operation]
    )
