"""What this instance knows of turns it follows, merged from every source in any order.

News comes from a run in this process, over the relay, or from the durable copy; it may be late, doubled or out of
order. Merging is monotonic, so every follower sees one clean answer.
"""

import asyncio
import weakref
from dataclasses import dataclass, field
from typing import Any

from shared.events import News
from shared.turns import TERMINAL, State, Turn

FINAL = frozenset(state.value for state in TERMINAL)


class Signal:
    """Tells one follower that there is news. Waiting with a limit costs less than an event in a timeout's scope."""

    __slots__ = ("_waiter", "is_set")

    def __init__(self) -> None:
        """Not set."""
        self.is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Wakes the follower, or lets its next wait return at once."""
        self.is_set = True
        self._wake()

    def clear(self) -> None:
        """Forgets the news."""
        self.is_set = False

    async def wait(self, seconds: float) -> bool:
        """Returns at once when set, else when it gets set or the time is over; whether it is set."""
        if self.is_set:
            return True
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
        return self.is_set

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@dataclass(slots=True, weakref_slot=True, eq=False)
class LiveTurn:
    """The newest known run of one turn: its text so far, its state and what the caller is told with it."""

    turn_id: str
    run: int = 0
    text: str = ""
    state: str = State.ACCEPTED.value
    details: dict[str, Any] = field(default_factory=dict)
    behind: bool = False
    """News arrived whose text starts after what is known: the durable copy has to fill the gap."""
    followers: set[Signal] = field(default_factory=set)

    @property
    def final(self) -> bool:
        """True when nothing more will happen."""
        return self.state in FINAL

    def merge(self, news: News) -> None:
        """Takes in one piece of news; news that is older than what is known changes nothing."""
        if self.final or news.run < self.run:
            return
        if news.run > self.run:
            self.run, self.text, self.behind = news.run, "", False
        if news.position > len(self.text):
            self.behind = True
        else:
            self.text += news.text[len(self.text) - news.position :]
            if news.state in FINAL or news.state != State.RUNNING.value:
                self.state, self.details = news.state, news.details or {}
            else:
                self.state = news.state
        for follower in self.followers:
            follower.set()

    def merge_durable(self, turn: Turn, details: dict[str, Any]) -> None:
        """Takes in the stored turn, which closes any gap up to its own text."""
        self.behind = False
        self.merge(News(turn.turn_id, turn.run, 0, turn.answer, turn.state.value, details))


class Board:
    """The turns that somebody on this instance follows or runs, by id; forgotten when nobody does any more."""

    def __init__(self) -> None:
        """Starts empty."""
        self._turns: weakref.WeakValueDictionary[str, LiveTurn] = weakref.WeakValueDictionary()

    def live(self, turn_id: str) -> LiveTurn:
        """The live turn. It receives news for as long as the caller keeps a reference to it."""
        return self._turns.setdefault(turn_id, LiveTurn(turn_id))

    def publish(self, news: News) -> None:
        """Merges news of a turn that someone here follows; other news is not for this instance."""
        live = self._turns.get(news.turn_id)
        if live is not None:
            live.merge(news)

    def __len__(self) -> int:
        """How many turns are followed."""
        return len(self._turns)
