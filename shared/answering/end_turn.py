"""How a held turn ends, for good or ill: in its conversation, in its record, and in the ears of its followers."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from shared.answering.runs import Ended, Origin, Publish, Run
from shared.errors import SpillwayError, Unavailable
from shared.events import News
from shared.ports import Clock, SessionStore, TurnStore
from shared.telemetry import log
from shared.telemetry.facts import TurnEnded
from shared.telemetry.observer import SILENT, Observer
from shared.timelines import stages
from shared.timelines.join_timelines import told
from shared.turns import State, Turn

T = TypeVar("T")
OnEnd = Callable[[Turn, State, Mapping[str, Any]], None]
STORE_RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)


class TurnEnding:
    """Ends turns that this instance holds."""

    def __init__(
        self,
        *,
        store: TurnStore,
        sessions: SessionStore,
        clock: Clock,
        observer: Observer = SILENT,
        ended: OnEnd = lambda _turn, _state, _fields: None,
    ) -> None:
        """Takes what it works with; `ended` is called with every turn that is over and returns at once."""
        self._store, self._sessions, self._clock = store, sessions, clock
        self._observer, self._ended = observer, ended

    async def succeed(self, run: Run, origin: Origin) -> Ended:
        """Ends a run that has its whole answer: conversation and turn are written, then its followers are told."""
        turn, answer = run.turn, run.text
        details: dict[str, Any] = {
            "finish_reason": run.finish_reason,
            "usage": None if run.usage is None else run.usage.as_dict(),
            "citations": origin.citations,
            "deployment": origin.deployment,
        }
        if origin.cached is not None:
            details["cached"] = origin.cached
        answered = dataclasses.replace(
            turn, answer=answer, state=State.SUCCEEDED, citations=tuple(details["citations"])
        )
        # The conversation first: a crash in between repeats the turn, the other order would forget it.
        run.told = True
        await self._patiently(turn, lambda: self._sessions.append(answered))
        run.timeline.mark(stages.STORE)
        run.ending = True
        attempts = [*turn.attempts, *origin.attempts]
        fields = {**details, "answer": answer, "attempts": attempts, "timeline": told(run.timeline, self._clock)}
        if not await self._finish(turn, State.SUCCEEDED, fields):
            await self.take_back(turn)
            return Ended(State.SUCCEEDED, lost=True)
        # The stored timeline ends where its own write began; the one that is told has that write in it.
        run.timeline.mark(stages.STORE)
        timeline = told(run.timeline, self._clock)
        news = {**details, "model": origin.model, "timeline": timeline}
        run.publish(News(turn.turn_id, turn.run, run.length, "", State.SUCCEEDED.value, news))
        self._observer.tell(self._success(run, origin, timeline))
        return Ended(State.SUCCEEDED)

    async def fail(
        self, turn: Turn, error: SpillwayError, publish: Publish, timeline: dict[str, Any] | None = None
    ) -> Ended:
        """Ends a held turn as failed, tells its followers and leaves the reason in the record."""
        error.turn_id = turn.turn_id
        fields = {"error": error.as_dict(), "timeline": timeline, "attempts": list(turn.attempts)}
        await self._patiently(
            turn, lambda: self._sessions.append(dataclasses.replace(turn, state=State.FAILED, answer=""))
        )
        finished = await self._finish(turn, State.FAILED, fields)
        if not finished:
            await self.take_back(turn)
        log.warning("fail_turn", turn_id=turn.turn_id, code=error.code, run=turn.run)
        if finished:
            publish(News(turn.turn_id, turn.run, 0, "", State.FAILED.value, {"error": error.as_dict()}))
            now = self._clock.now()
            self._observer.tell(TurnEnded.of(turn, State.FAILED, now, code=error.code, timeline=timeline))
        return Ended(State.FAILED, error, lost=not finished)

    async def take_back(self, turn: Turn) -> None:
        """The turn ended otherwise, so what this run wrote into the conversation gives way to how it ended.

        It was cancelled, or another run answered it. One that is not over will be written by the run that holds it.
        """
        kept = await self._patiently(turn, lambda: self._store.get(turn.turn_id))
        if kept is not None and kept.state.terminal:
            await self._patiently(turn, lambda: self._sessions.append(kept, final=True))

    async def _finish(self, turn: Turn, state: State, fields: dict[str, Any]) -> bool:
        finished = await self._patiently(
            turn, lambda: self._store.finish(turn.turn_id, run=turn.run, state=state, fields=fields)
        )
        if finished:
            self._ended(turn, state, fields)
        return finished

    def _success(self, run: Run, origin: Origin, timeline: dict[str, Any]) -> TurnEnded:
        return TurnEnded.of(
            run.turn,
            State.SUCCEEDED,
            self._clock.now(),
            attempts=len(run.turn.attempts) + len(origin.attempts),
            model=origin.model,
            deployment=origin.deployment,
            finish_reason=run.finish_reason,
            usage=run.usage,
            timeline=timeline,
            between_tokens_seconds=origin.between_tokens_seconds,
            cached=None if origin.cached is None else origin.cached["kind"],
        )

    async def _patiently(self, turn: Turn, write: Callable[[], Awaitable[T]]) -> T:
        """A write that must not be lost: repeated while the store is away, until the turn's deadline."""
        tries = 0
        while True:
            try:
                return await write()
            except Unavailable:
                if self._clock.now() > turn.deadline_at:
                    raise
                log.warning("await_store", turn_id=turn.turn_id, tries=tries)
                await self._clock.sleep(STORE_RETRY_SECONDS[min(tries, len(STORE_RETRY_SECONDS) - 1)])
                tries += 1
