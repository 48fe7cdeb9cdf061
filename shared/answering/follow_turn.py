"""Following a turn: from what an instance knows of it to the events that one caller receives, each exactly once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from shared.answering.live import LiveTurn, Signal
from shared.errors import DeadlineExceeded, Unavailable
from shared.events import RUN, Event
from shared.instants import instant
from shared.ports import Clock, TurnStore
from shared.settings import Settings
from shared.telemetry import log
from shared.turns import State, Turn

UNSOURCED_POLL_SECONDS = 0.5
EXPIRY_GRACE_SECONDS = 1.0


@dataclass(slots=True)
class Cursor:
    """What one caller has received: everything up to `sequence`."""

    sequence: int = 0
    told: tuple[str, str] | None = None

    @property
    def run(self) -> int:
        """The run of the text that the caller has."""
        return self.sequence // RUN

    @property
    def position(self) -> int:
        """How many characters of that run the caller has."""
        return self.sequence % RUN

    def advance(self, live: LiveTurn) -> list[Event]:
        """The events that bring the caller up to date; moves the cursor behind them."""
        events: list[Event] = []
        if live.run > self.run:
            if self.run > 0 and self.position > 0:
                events.append(Event("restart", live.run * RUN, {"reason": "the answer starts anew"}))
            self.sequence = live.run * RUN
        if live.run == self.run > 0 and len(live.text) > self.position:
            text = live.text[self.position :]
            self.sequence = self.run * RUN + len(live.text)
            events.append(Event("delta", self.sequence, {"text": text}))
        if live.final:
            events.extend(self._final(live))
        elif live.state in {State.QUEUED.value, State.DEFERRED.value}:
            events.extend(self._waiting(live))
        return events

    def _final(self, live: LiveTurn) -> list[Event]:
        last = (self.run * RUN + len(live.text) if self.run else self.sequence) + 1
        if last <= self.sequence:
            return []
        self.sequence = last
        if live.state == State.SUCCEEDED.value:
            return [Event("done", last, {"turn_id": live.turn_id, "state": live.state, **live.details})]
        return [Event("error", last, {"error": live.details.get("error") or _cancelled(live.turn_id)})]

    def _waiting(self, live: LiveTurn) -> list[Event]:
        told = (live.state, str(live.details))
        if told == self.told:
            return []
        self.told = told
        if self.run == 0:
            self.sequence += 1
        place = {name: live.details.get(name) for name in ("place", "expected_wait_seconds")}
        return [Event("queued", self.sequence, place)]


def _cancelled(turn_id: str) -> dict[str, Any]:
    return {"code": "cancelled", "message": "The turn was cancelled.", "turn_id": turn_id}


def final_details(turn: Turn) -> dict[str, Any]:
    """What a caller is told of a stored turn with its final or waiting state."""
    if turn.state is State.SUCCEEDED:
        return {
            "finish_reason": turn.finish_reason,
            "usage": None if turn.usage is None else turn.usage.as_dict(),
            "citations": list(turn.citations),
            "deployment": turn.deployment,
            "timeline": turn.timeline,
            "model": turn.model,
            **({} if turn.cached is None else {"cached": turn.cached}),
        }
    return {"error": turn.error} if turn.state.terminal else {}


class TurnFollower:
    """Streams events of turns to callers."""

    def __init__(self, *, settings: Settings, store: TurnStore, clock: Clock) -> None:
        """Takes what it works with."""
        self._settings, self._store, self._clock = settings, store, clock

    async def follow(
        self, turn: Turn, live: LiveTurn, *, after: int = 0, sourced: bool, fresh: bool
    ) -> AsyncIterator[Event | None]:
        """Events after sequence number `after` until the turn is over; None when a keep-alive is due.

        Args:
            turn: The turn as it was stored last.
            live: What this instance knows of it; the caller holds it while this runs.
            after: The last event the caller has.
            sourced: News of the turn reaches this instance by itself; the durable copy is only the fallback.
            fresh: `live` has all there is to know; otherwise the durable copy is read first.
        """
        cursor = Cursor(after)
        changed = Signal()
        live.followers.add(changed)
        try:
            if not fresh:
                await self.refresh(turn, live)
            if after == 0:
                cursor.sequence = 1
                yield Event("accepted", 1, accepted_data(turn))
            until = self._clock.monotonic() + self._settings.stream_seconds
            while True:
                changed.clear()
                for event in cursor.advance(live):
                    yield event
                if live.final:
                    return
                if self._clock.monotonic() >= until:
                    yield Event("continue", cursor.sequence, {"reason": "the connection has reached its time limit"})
                    return
                if not await self._news(changed, turn, live, sourced=sourced, until=until):
                    yield None
        finally:
            live.followers.discard(changed)

    async def _news(self, changed: Signal, turn: Turn, live: LiveTurn, *, sourced: bool, until: float) -> bool:
        """Waits for news, reading the durable copy when none comes; False when a keep-alive is due first."""
        keep_alive_at = self._clock.monotonic() + self._settings.keep_alive_seconds
        poll_seconds = self._poll_seconds(live, sourced=sourced)
        while not changed.is_set:
            now = self._clock.monotonic()
            if now >= until:
                return True
            if now >= keep_alive_at:
                return False
            wait = 0.05 if live.behind else poll_seconds
            if not await changed.wait(min(wait, keep_alive_at - now, until - now)):
                await self.refresh(turn, live)
        return True

    def _poll_seconds(self, live: LiveTurn, *, sourced: bool) -> float:
        if not sourced:
            return UNSOURCED_POLL_SECONDS
        if live.state == State.RUNNING.value:
            return self._settings.durable_poll_seconds
        return self._settings.keep_alive_seconds

    async def refresh(self, turn: Turn, live: LiveTurn) -> None:
        """Brings `live` up to the durable copy, and ends a turn that nobody answered before its deadline."""
        try:
            stored = await self._store.get(turn.turn_id)
            if stored is None:
                return
            now = self._clock.now()
            if not stored.state.terminal and now > stored.deadline_at + EXPIRY_GRACE_SECONDS:
                error = DeadlineExceeded(turn_id=turn.turn_id).as_dict()
                await self._store.end_waiting(turn.turn_id, now=now, state=State.EXPIRED, fields={"error": error})
                stored = await self._store.get(turn.turn_id) or stored
        except Unavailable:
            log.warning("miss_durable_copy", turn_id=turn.turn_id)
            return
        if stored.state.terminal or stored.run > live.run or len(stored.answer) > len(live.text):
            live.merge_durable(stored, final_details(stored))
        live.behind = False


def accepted_data(turn: Turn) -> dict[str, Any]:
    """The data of the `accepted` event."""
    return {
        "turn_id": turn.turn_id,
        "session_id": turn.session_id,
        "lane": turn.lane.value,
        "path": turn.path,
        "deadline_at": instant(turn.deadline_at),
    }
