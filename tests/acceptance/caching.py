"""The stack with answers kept, and callers who ask it, for the tests of the answer cache."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.acceptance.stack import OTHER, Answer, Stack, ask, deployments

SETTINGS = {
    "SPILLWAY_CACHE_CHAT": "semantic",
    "SPILLWAY_CACHE_COMPLETIONS": "exact",
    # So low that nothing but the guards keeps questions apart.
    "SPILLWAY_CACHE_SIMILARITY": "0.6",
    # Evaluation embeds questions too, and a step that is late on a busy machine is done again.
    "SPILLWAY_SAMPLE_SHARE": "0",
    "SPILLWAY_CONTEXT_SECONDS": "10",
    "SPILLWAY_LEASE_SECONDS": "2",
    "SPILLWAY_CHECKPOINT_SECONDS": "0.2",
}
RETURNS = {"id": "returns", "title": "Returns", "text": "You can return any item within 45 days of delivery."}
SLOW_MODEL = "slow-model"
SETTLED_SECONDS = 5.5


def models() -> dict[str, Any]:
    """The usual ones, and one that takes its time, so that others can join while it answers."""
    quick, (slow,) = deployments(), deployments(count=1, between_tokens_ms=25, answer_tokens=120)["deployments"][:1]
    return quick | {"deployments": [*quick["deployments"], slow | {"name": "chat-slow", "model": SLOW_MODEL}]}


@dataclass
class Running:
    """The stack, and since when contoso's knowledge is there; fabrikam has none, so it need not settle."""

    stack: Stack
    stored_at: float


def new_calls(stack: Stack, before: int) -> int:
    return len(stack.calls()) - before


def first_calls(stack: Stack, before: int) -> int:
    """Calls since then but those given up for another that was quicker: a busy machine makes first tokens late."""
    return sum(call["outcome"] != "client_closed" for call in stack.calls()[before:])


def wait_until(true: Any, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def in_flight(stack: Stack, question: str, count: int) -> list[Answer]:
    def one(_: int) -> Answer:
        with stack.client(OTHER) as client:
            return ask(client, question)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


class Asking:
    """A caller whose stream is read by a thread."""

    def __init__(self, stack: Stack, question: str) -> None:
        self.answer = Answer()
        self._thread = threading.Thread(target=self._ask, args=(stack, question), daemon=True)
        self._thread.start()

    def _ask(self, stack: Stack, question: str) -> None:
        with stack.client(OTHER) as client:
            try:
                ask(client, question, into=self.answer, model=SLOW_MODEL)
            except httpx2.HTTPError:
                # The app was killed; the turn is looked up afterwards.
                return

    def has_text(self) -> bool:
        return len(self.answer.text) > 20

    @property
    def turn_id(self) -> str:
        return str(self.answer.events[0][2]["turn_id"])

    def join(self) -> Answer:
        self._thread.join(40)
        return self.answer
