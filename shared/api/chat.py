"""What the routes can do with turns: ask, follow, read, cancel, rate. One method a use case."""

import asyncio
import dataclasses
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

from pydantic import BaseModel

from shared.answering.accept_turn import Accepted, TurnAcceptor
from shared.answering.follow_turn import TurnFollower
from shared.answering.live import Board
from shared.api.door import Principal
from shared.api.models import ChatRequest, CompletionRequest
from shared.caching.answer_cache import AnswerCache
from shared.caching.wish import OFF, caching
from shared.capacity.capacity import Capacity
from shared.errors import Cancelled, InvalidRequest, TurnNotFound
from shared.events import KEEP_ALIVE, Event, News
from shared.instants import instant
from shared.ports import Clock, SessionStore, TurnStore
from shared.settings import Settings
from shared.timelines.join_timelines import completed
from shared.timelines.timeline import Timeline, as_stages, read_stages
from shared.turns import Lane, Message, State, Turn, new_turn_id

SESSION_TURNS = 100


class Chat:
    """The use cases around turns, for one instance."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: TurnStore,
        sessions: SessionStore,
        acceptor: TurnAcceptor,
        follower: TurnFollower,
        board: Board,
        capacity: Capacity,
        clock: Clock,
        rated: Callable[[Turn, str], None] = lambda _turn, _rating: None,
        cache: AnswerCache | None = None,
    ) -> None:
        """Takes what it works with; `rated` is called with every turn that was rated and returns at once."""
        self._cache = cache
        self._rated = rated
        self._settings, self._store, self._sessions = settings, store, sessions
        self._acceptor, self._follower, self._board = acceptor, follower, board
        self._capacity, self._clock = capacity, clock

    @property
    def models(self) -> tuple[str, ...]:
        """The model names that can be asked for."""
        return self._capacity.models

    async def ask(
        self,
        request: ChatRequest,
        principal: Principal,
        *,
        waits: bool,
        idempotency_key: str | None,
        timeline: Timeline,
        cache_control: str = "",
    ) -> Accepted:
        """Accepts a question; `cache_control` is the request's header, see `shared.caching.wish`.

        Raises:
            SpillwayError: It was not accepted, and nothing of it was stored.
        """
        given = [Message(entry.role, entry.content) for entry in request.messages or ()]
        turn = self._turn(
            principal,
            tuple(given) or (Message("user", request.message or ""),),
            idempotency_key=idempotency_key,
            lane=Lane(request.lane),
            deadline_seconds=request.deadline_seconds,
            session_id=request.session_id,
            customer_id=request.customer_id,
            model=request.model,
            max_output_tokens=request.max_output_tokens,
            parameters={} if request.temperature is None else {"temperature": request.temperature},
            fingerprint=_fingerprint(request, idempotency_key),
            created_at=timeline.started_at,
            caching=caching(self._settings.cache_chat, cache_control),
        )
        timeline.mark("validation", self._clock.now())
        return await self._acceptor.accept(turn, waits=waits, keyed=idempotency_key is not None, timeline=timeline)

    async def complete(
        self,
        request: CompletionRequest,
        principal: Principal,
        *,
        idempotency_key: str | None,
        timeline: Timeline,
        cache_control: str = "",
    ) -> Accepted:
        """Accepts a request in OpenAI's form: the caller's prompt goes to the model as it is."""
        turn = self._turn(
            principal,
            tuple(Message(message.role, message.text) for message in request.messages),
            idempotency_key=idempotency_key,
            lane=Lane.INTERACTIVE,
            deadline_seconds=None,
            session_id=None,
            model=request.model,
            max_output_tokens=request.max_completion_tokens or request.max_tokens,
            parameters=request.parameters,
            fingerprint=_fingerprint(request, idempotency_key),
            created_at=timeline.started_at,
            use_context=False,
            caching=caching(self._settings.cache_completions, cache_control),
        )
        timeline.mark("validation", self._clock.now())
        return await self._acceptor.accept(turn, waits=True, keyed=idempotency_key is not None, timeline=timeline)

    def _turn(
        self,
        principal: Principal,
        messages: tuple[Message, ...],
        *,
        idempotency_key: str | None,
        deadline_seconds: float | None,
        session_id: str | None,
        lane: Lane,
        **fields: Any,
    ) -> Turn:
        if fields["model"] is not None and fields["model"] not in self._capacity.models:
            raise InvalidRequest(f"model: choose one of {', '.join(self._capacity.models)}")
        now = self._clock.now()
        allowed = self._settings.lane_deadline_seconds[lane.value]
        return Turn(
            turn_id=new_turn_id(principal.tenant, idempotency_key),
            tenant=principal.tenant,
            session_id=session_id or uuid.uuid4().hex,
            new_session=session_id is None,
            lane=lane,
            messages=messages,
            deadline_at=now + min(deadline_seconds or allowed, 3600.0),
            **fields,
        )

    async def read(self, turn_id: str, principal: Principal) -> Turn:
        """A turn of the caller's tenant.

        Raises:
            TurnNotFound: There is none, or it is another tenant's, which looks the same from outside.
        """
        turn = await self._store.get(turn_id)
        if turn is None or turn.tenant != principal.tenant:
            raise TurnNotFound(turn_id=turn_id)
        return turn

    async def resume(self, turn_id: str, principal: Principal) -> Accepted:
        """A turn to be followed again, on this or another instance."""
        turn = await self.read(turn_id, principal)
        live = self._board.live(turn_id)
        known = Timeline(turn.created_at, before=read_stages(turn.timeline))
        return Accepted(turn, live, sourced=live.run > 0, fresh=False, timeline=known)

    async def events(self, accepted: Accepted, *, after: int = 0) -> AsyncIterator[bytes]:
        """The turn's events after a sequence number, encoded, with keep-alives in the pauses."""
        follow = self.follow(accepted, after=after)
        async for event in follow:
            if event is not None and event.name == "done" and accepted.fresh:
                yield self._complete(accepted, event).encode()
            else:
                yield KEEP_ALIVE if event is None else event.encode()

    def follow(self, accepted: Accepted, *, after: int = 0) -> AsyncIterator[Event | None]:
        """The turn's events as values; None when a keep-alive is due."""
        return self._follower.follow(
            accepted.turn, accepted.live, after=after, sourced=accepted.sourced, fresh=accepted.fresh
        )

    async def wait(self, accepted: Accepted, seconds: float) -> Turn:
        """The turn once it is over, or as it stands after `seconds`."""
        last: Event | None = None
        try:
            async with asyncio.timeout(seconds):
                async for event in self.follow(accepted):
                    last = event or last
        except TimeoutError:
            pass
        turn = await self._store.get(accepted.turn.turn_id) or accepted.turn
        if last is None or last.name != "done" or not accepted.fresh:
            return turn
        return dataclasses.replace(turn, timeline=self._complete(accepted, last).data["timeline"])

    def _complete(self, accepted: Accepted, done: Event) -> Event:
        """The last event with the timeline up to now, as only the instance that holds the caller knows it."""
        told = done.data.get("timeline")
        if told is None:
            return done
        return dataclasses.replace(
            done, data={**done.data, "timeline": completed(accepted.timeline, told, self._clock)}
        )

    async def cancel(self, turn_id: str, principal: Principal) -> Turn:
        """Cancels a turn; one that is over stays as it is."""
        turn = await self.read(turn_id, principal)
        error = Cancelled(turn_id=turn_id).as_dict()
        if await self._store.cancel(turn_id, {"error": error}):
            await self._sessions.append(dataclasses.replace(turn, state=State.CANCELLED), final=True)
            run = max(turn.run, self._board.live(turn_id).run)
            self._board.publish(News(turn_id, run, 0, "", State.CANCELLED.value, {"error": error}))
        return await self.read(turn_id, principal)

    async def rate(self, turn_id: str, principal: Principal, rating: str, comment: str | None) -> None:
        """Notes the caller's opinion of an answer."""
        turn = await self.read(turn_id, principal)
        await self._store.rate(turn_id, rating, comment)
        self._rated(turn, rating)
        if turn.state is State.SUCCEEDED:
            await self._sessions.rate(turn, rating)
        if rating == "down" and self._cache is not None and turn.caching is not None:
            # Nobody else shall get it, wherever this one came from.
            first = turn if turn.cached is None else await self._store.get(turn.cached["turn_id"])
            for one in {turn.turn_id: turn, **({} if first is None else {first.turn_id: first})}.values():
                await self._cache.forget(one)

    async def history(self, session_id: str, principal: Principal) -> dict[str, Any]:
        """The conversation, oldest turn first."""
        turns = await self._sessions.recent(principal.tenant, session_id, SESSION_TURNS)
        return {"session_id": session_id, "turns": turns}

    async def forget(self, session_id: str, principal: Principal) -> None:
        """Removes the conversation and the turns in it."""
        for entry in await self._sessions.recent(principal.tenant, session_id, SESSION_TURNS):
            if self._cache is not None and self._settings.cache_chat != OFF:
                turn = await self._store.get(entry["turn_id"])
                if turn is not None:
                    await self._cache.forget(turn, only_own=True)
            await self._store.discard(entry["turn_id"])
        await self._sessions.remove(principal.tenant, session_id)


def describe(turn: Turn, waiting: dict[str, Any] | None = None) -> dict[str, Any]:
    """A turn as callers see it; what is not known yet is left out."""
    view: dict[str, Any] = {
        "turn_id": turn.turn_id,
        "session_id": turn.session_id,
        "state": turn.state.value,
        "lane": turn.lane.value,
        "path": turn.path,
        "model": turn.model,
        "question": turn.question,
        "answer": turn.answer or None,
        "finish_reason": turn.finish_reason,
        "usage": None if turn.usage is None else turn.usage.as_dict(),
        "citations": list(turn.citations),
        "timeline": turn.timeline,
        "deployment": turn.deployment,
        "cached": turn.cached,
        "error": turn.error,
        "rating": turn.rating,
        "created_at": instant(turn.created_at),
        "deadline_at": instant(turn.deadline_at),
        **(waiting or {}),
    }
    return {name: value for name, value in view.items() if value is not None}


def describe_timeline(turn: Turn) -> dict[str, Any]:
    """Where the time of a turn went, as callers see it; for a turn that is not over, as far as is known."""
    return {
        "turn_id": turn.turn_id,
        "state": turn.state.value,
        "lane": turn.lane.value,
        "path": turn.path,
        "attempts": list(turn.attempts),
        "timeline": turn.timeline or as_stages([]),
    }


def _fingerprint(request: BaseModel, idempotency_key: str | None) -> str | None:
    """Of a request that can come again; None for one without a key, whose turn has a new id every time."""
    if idempotency_key is None:
        return None
    return hashlib.sha256(request.model_dump_json(exclude_none=True).encode()).hexdigest()
