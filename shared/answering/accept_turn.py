"""The door's decision carried out: a turn is taken directly, put into its lane, or refused. Nothing is half stored."""

import asyncio
import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from shared.answering.deferrals import Deferrals
from shared.answering.live import Board, LiveTurn
from shared.answering.relay import RelayListener
from shared.answering.run_turn import TurnRunner
from shared.answering.runs import Deferred
from shared.caching.answer_cache import AnswerCache
from shared.caching.lookup import Lookup
from shared.caching.wish import cache_status
from shared.capacity.capacity import Capacity, Want
from shared.capacity.usher import Usher
from shared.capacity.waiting_room import Appointment, WaitingRoom
from shared.context.prompt import prompt_tokens
from shared.errors import CapacityExhausted, IdempotencyConflict, InvalidRequest, Unavailable
from shared.events import News, TurnMessage
from shared.operating.operations import Switches
from shared.policies.admission import Entry, Path, may_go_direct, refusal_seconds
from shared.policies.choice import Choice
from shared.ports import Clock, LaneQueues, TokenCounter, TurnStore
from shared.settings import Settings
from shared.telemetry import log
from shared.telemetry.admission import announced
from shared.telemetry.facts import RunStarted, Subject
from shared.telemetry.observer import SILENT, Observer, settled
from shared.timelines.timeline import Timeline
from shared.turns import Lane, State, Turn
from shared.vectors import pack

SHORTEST_SLEEP_SECONDS = 0.25
"""A shorter wait is left to the worker."""
HEAD_START_SECONDS = 0.006
"""How long the store waits for the model's request to leave this process, as both want the same core. The answer takes
longer than the two together."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A turn that is now Spillway's to answer.

    Attributes:
        turn: As it was stored, or as it was found when the same request came before.
        live: What this instance learns of it from now on.
        sourced: News of the turn reaches this instance by itself.
        fresh: The turn was accepted just now, so `live` has all there is to know.
        timeline: The stages so far.
        waiting: Place and expected wait when it went to its lane.
        cache_status: The response header Cache-Status as far as it is known; None when the route has not opted in.
    """

    turn: Turn
    live: LiveTurn
    sourced: bool
    fresh: bool
    timeline: Timeline
    waiting: dict[str, Any] | None = None
    cache_status: str | None = None


class TurnAcceptor:
    """Accepts turns. A turn counts as accepted when `accept` returns, and is then in the store."""

    def __init__(
        self,
        *,
        settings: Settings,
        instance: str,
        store: TurnStore,
        queues: LaneQueues,
        board: Board,
        capacity: Capacity,
        runner: TurnRunner,
        deferrals: Deferrals,
        listener: RelayListener,
        waiting_room: WaitingRoom,
        switches: Switches,
        usher: Usher,
        typical_context: Callable[[], int],
        counter: TokenCounter,
        clock: Clock,
        observer: Observer = SILENT,
        cache: AnswerCache | None = None,
    ) -> None:
        """Takes what it works with; `instance` names this process.

        `typical_context` says how many tokens of instructions, passages and history are usual of late.
        """
        self.observer, self._cache = observer, cache
        self._settings, self._instance, self._store, self._queues = settings, instance, store, queues
        self._board, self._capacity, self._runner, self._deferrals = board, capacity, runner, deferrals
        self._listener, self._counter, self._clock = listener, counter, clock
        self._waiting_room, self._switches, self._usher = waiting_room, switches, usher
        self._typical_context = typical_context
        self._tasks: set[asyncio.Task[None]] = set()
        self._direct: Counter[str] = Counter()

    @announced
    async def accept(self, turn: Turn, *, waits: bool, keyed: bool, timeline: Timeline) -> Accepted:
        """Decides on a new turn and carries it out.

        Args:
            turn: As the caller asked for it, in state accepted.
            waits: The caller holds the connection.
            keyed: The turn id comes from an Idempotency-Key, so the turn may exist already.
            timeline: Begun when the request came in.

        Raises:
            CapacityExhausted: The answer could not come before the deadline; nothing was stored.
            Unavailable: The store or the queue does not answer; nothing was stored.
            IdempotencyConflict: The key was used for a different request.
        """
        if keyed and (known := await self._store.get(turn.turn_id)) is not None:
            return self._known(turn, known, timeline)
        want = self._want(turn)
        choice = self._capacity.outlook(want)
        if math.isinf(choice.wait_seconds):
            raise InvalidRequest(
                f"The question and its answer may need {want.tokens:.0f} tokens, more than any deployment takes in a "
                "minute. Send a shorter question or a lower max_output_tokens."
            )
        direct = may_go_direct(self._entry(turn, want, choice, held=waits))
        lookup = None if self._cache is None else self._cache.look(turn, leads=direct)
        if direct:
            return await self._accept_direct(turn, timeline, lookup)
        if lookup is not None:
            # An answer that is there needs no budget and waits for nobody.
            if await lookup.match() is not None:
                return await self._accept_direct(turn, timeline, lookup)
            vector = lookup.sources.known_vector
            turn = dataclasses.replace(turn, question_vector=None if vector is None else pack(vector))
        appointment = await self._appointment(turn, want, choice)
        turn = self._admitted(turn, timeline)
        return await self._accept_queued(turn, timeline, waits=waits, want=want, appointment=appointment)

    def _admitted(self, turn: Turn, timeline: Timeline, **fields: Any) -> Turn:
        """The turn with the stages up to here, which whoever answers it continues."""
        timeline.mark("admission", self._clock.now())
        return dataclasses.replace(turn, timeline=timeline.as_dict(), **fields)

    def _entry(self, turn: Turn, want: Want, choice: Choice, *, held: bool) -> Entry:
        return Entry(
            first_lane=turn.lane is Lane.INTERACTIVE,
            held=held,
            behind_others=self._switches.pauses(turn.lane) or self._capacity.behind_others(want),
            budget_wait_seconds=choice.wait_seconds,
            direct_turns=self._direct.total(),
            most_direct_turns=self._settings.max_direct_turns,
            tenant_turns=self._direct[turn.tenant],
            most_tenant_turns=self._settings.max_tenant_turns,
        )

    async def _appointment(self, turn: Turn, want: Want, choice: Choice) -> Appointment:
        """When the turn is due, when it has to wait.

        Raises:
            CapacityExhausted: That would be too late; says when it would not be.
        """
        deadline = turn.deadline_at - self._clock.now()
        try:
            wait = await self._waiting_room.look(want)
            refusal = refusal_seconds(wait_seconds=wait, deadline_seconds=deadline)
            if refusal is not None:
                raise CapacityExhausted(
                    retry_after_seconds=await self._capacity.line(want.model).promise(refusal, want.tokens)
                )
        except Unavailable:
            # The queue does its work without the ledger; how long the wait is nobody knows.
            log.warning("miss_line", model=want.model)
            return Appointment(None, 0.0)
        if wait <= 0 and choice.name is not None:
            return Appointment(None, 0.0)
        self._usher.attend()
        return await self._waiting_room.enter(want)

    async def _accept_direct(self, turn: Turn, timeline: Timeline, lookup: Lookup | None) -> Accepted:
        """Calls the model while the turn is being stored; the first byte to the caller waits for both."""
        turn = self._admitted(
            turn,
            timeline,
            path=Path.DIRECT.value,
            state=State.RUNNING,
            run=1,
            owner=self._instance,
            lease_until=self._clock.now() + self._settings.lease_seconds,
            reply_to=self._instance,
        )
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        live = self._board.live(turn.turn_id)
        work = self._background(self._run_directly(turn, live, timeline, stored, lookup))
        try:
            # The model is asked first, because its answer takes longer than the store's.
            await asyncio.wait({work}, timeout=HEAD_START_SECONDS)
            created = await self._store.create(turn)
        except BaseException as error:
            work.cancel()
            stored.cancel()
            if lookup is not None:
                # A run that had not begun when it was cancelled cannot do it.
                lookup.close()
            if isinstance(error, Unavailable):
                await self._forget(turn)
            raise
        if not created:
            work.cancel()
            stored.cancel()
            if lookup is not None:
                lookup.close()
            return self._known(turn, await self._store.get(turn.turn_id), timeline)
        stored.set_result(None)
        # No text can come before the look is over, so whoever waits for text loses nothing by this.
        status = cache_status(turn, None if lookup is None else await lookup.kind())
        return Accepted(turn, live, sourced=True, fresh=True, timeline=timeline, cache_status=status)

    async def _run_directly(
        self,
        turn: Turn,
        live: LiveTurn,
        timeline: Timeline,
        stored: asyncio.Future[None],
        lookup: Lookup | None,
    ) -> None:
        self._direct[turn.tenant] += 1
        try:
            with self.observer.run(RunStarted(Subject.of(turn), turn.run)) as watched:
                outcome = await self._runner.run(turn, live.merge, timeline, stored=stored, lookup=lookup)
                if isinstance(outcome, Deferred):
                    await stored
                    self._listener.start()
                    error = await self._deferrals.settle(turn, outcome, live.merge)
                    watched.outcome(settled(error), error)
                else:
                    watched.outcome("lost" if outcome.lost else outcome.state.value, outcome.error)
        except Unavailable:
            # The record still says running; its lease lapses and the sweeper queues the turn.
            log.warning("leave_turn", turn_id=turn.turn_id)
        finally:
            self._direct[turn.tenant] -= 1
            self._direct += Counter()

    async def _accept_queued(
        self, turn: Turn, timeline: Timeline, *, waits: bool, want: Want, appointment: Appointment
    ) -> Accepted:
        waiting = {"place": appointment.place, "expected_wait_seconds": round(appointment.wait_seconds, 1)}
        live = self._board.live(turn.turn_id)
        live.merge(News(turn.turn_id, 0, 0, "", State.QUEUED.value, waiting))
        due_at = self._clock.now() + appointment.wait_seconds
        if appointment.ticket is not None:
            turn = dataclasses.replace(turn, **appointment.fields(self._clock.now()))
        if waits:
            self._listener.start()
            turn = dataclasses.replace(turn, reply_to=self._instance)
        if not await self._store.create(turn):
            return self._known(turn, await self._store.get(turn.turn_id), timeline)
        timeline.mark("store_accept", self._clock.now())
        now = self._clock.now()
        message = TurnMessage(
            turn.turn_id,
            turn.lane,
            "",
            turn.deadline_at,
            now,
            turn.reply_to,
            ticket=turn.ticket,
            model=None if turn.ticket is None else want.model,
        )
        sleeps = due_at - now > SHORTEST_SLEEP_SECONDS
        try:
            await self._queues.send(
                message, time_to_live_seconds=turn.deadline_at - now, not_before=due_at if sleeps else None
            )
        except Unavailable:
            await self._forget(turn)
            raise
        timeline.mark("enqueue", self._clock.now())
        self._background(self._mark_queued(turn))
        status = cache_status(turn, None)
        return Accepted(turn, live, sourced=waits, fresh=True, timeline=timeline, waiting=waiting, cache_status=status)

    async def _mark_queued(self, turn: Turn) -> None:
        try:
            await self._store.mark_queued(turn.turn_id)
        except Unavailable:
            # The sweeper will send the message once more; duplicate detection drops it.
            log.warning("miss_mark", turn_id=turn.turn_id)

    async def _forget(self, turn: Turn) -> None:
        try:
            await self._store.retract(turn)
        except Unavailable:
            # The caller was told that nothing was accepted; the sweeper lets the leftover expire.
            log.warning("leave_unaccepted", turn_id=turn.turn_id)

    def _known(self, turn: Turn, known: Turn | None, timeline: Timeline) -> Accepted:
        if known is None or known.tenant != turn.tenant or known.fingerprint != turn.fingerprint:
            raise IdempotencyConflict
        live = self._board.live(known.turn_id)
        return Accepted(known, live, sourced=live.run > 0, fresh=False, timeline=timeline)

    def _want(self, turn: Turn) -> Want:
        allowance = self._typical_context() if turn.use_context else 0
        output = turn.max_output_tokens or self._settings.max_output_tokens
        return Want(
            turn.model or self._settings.default_model,
            turn.lane,
            turn.tenant,
            prompt_tokens(turn.messages, self._counter) + allowance + output,
            owner=turn.turn_id,
            due_at=turn.created_at,
        )

    def _background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.failure("background_work", fault)

    async def close(self) -> None:
        """Stops what still runs; the sweeper continues it elsewhere."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
