"""The line of one pool as one instance knows it: who waits is written down for all instances, many in one write."""

import asyncio
import dataclasses
import math
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.errors import Unavailable
from shared.policies import line as lines
from shared.policies.ledger import SLOT_SECONDS, LedgerState
from shared.policies.line import Flow, Line, Ticket
from shared.policies.supply import Supply, fed, line_spent, room_tokens, supply
from shared.ports import Clock, Ledger, LedgerEntry
from shared.telemetry import log
from shared.turns import Lane
from shared.waiters import refuse

LOOK_SECONDS = 0.5
"""How old the knowledge may be for a decision."""
STEP_SECONDS = SLOT_SECONDS / 8
"""How often the line is worked out anew; between, times are interpolated."""
UNUSED_SECONDS = 1.0
"""What comes back in so much time may lie unused: those it is for are on their way."""
LONGEST_SECONDS, LONGEST_PROMISE_SECONDS = 86_400.0, 600.0
TRIES = 30
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, CALMER = 0.05, 1.0, 0.9
"""Pause after a write, doubled when another instance was quicker: the more write, the less often each does."""
AGAIN_SECONDS = 0.01
"""Who was too slow tries again at once: waiting would let those who came later go first."""
RANKS = {lane: rank for rank, lane in enumerate(Lane)}


class Accounts(Protocol):
    """The accounts of a pool's deployments, by name, at this moment."""

    def open(self) -> Mapping[str, LedgerState]:
        """Those that take calls now."""

    def all(self) -> Mapping[str, LedgerState]:
        """Those that take calls now or when they have cooled."""

    def strangers(self, tenants: Collection[str]) -> float:
        """Part of the calls of the first lane that come without waiting which are not of these tenants."""

    def stamp(self) -> object:
        """Equal to an earlier one while nothing that matters has changed."""

    async def look(self, *, older_than_seconds: float) -> None:
        """Brings the knowledge up to date where it is older; raises Unavailable."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """What an edit of the line may need to know.

    Attributes:
        now: Seconds since 1970.
        pace: Tokens a second that come to the line in the long run.
        spent: Tokens that turns of the line acquired in all.
        supply: What comes to a line. It depends on who stands in it: tokens are kept for others only.
    """

    now: float
    pace: float
    spent: float
    supply: Callable[[Line], Supply]

    def due_in_seconds(self, line: Line, ticket: Ticket) -> float:
        """Until a ticket is due; a day when no deployment is left to say."""
        seconds = self.supply(line).seconds_until(self.now, lines.tokens_until_due(line, ticket))
        return min(seconds, LONGEST_SECONDS)


Edit = Callable[[Line, _Moment], tuple[Line, Any]]


class WaitingLine:
    """Who waits for the tokens of a pool. Without the ledger nobody can join, and nobody is known to wait."""

    def __init__(
        self,
        model: str,
        ledger: Ledger,
        clock: Clock,
        accounts: Accounts,
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Starts without knowledge.

        Args:
            model: The pool's.
            ledger: Keeps the line for all instances.
            clock: Time.
            accounts: Of the pool's deployments.
            draw: Random numbers in [0, 1).
        """
        self._draw, self._pause_seconds = draw, SHORTEST_PAUSE_SECONDS
        self._name, self._ledger, self._clock, self._accounts = f"line:{model}", ledger, clock, accounts
        self._line = Line()
        self._version: str | None = None
        self._known_at = -math.inf
        self._edits: list[tuple[Edit, asyncio.Future[Any]]] = []
        self._work: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._worked_out_for: object = None
        self._worked_out: tuple[Line, Mapping[str, LedgerState], dict[float, Supply]]

    @property
    def anybody(self) -> bool:
        """Somebody waits, as far as is known."""
        return bool(self._line.flows) and bool(self._now()[0].flows)

    def waits(self, lane: Lane, tenant: str) -> bool:
        """Earlier turns of this tenant wait in this lane, so that a new one has to stand behind them."""
        return bool(self._line.flows) and self._now()[0].flow(RANKS[lane], tenant) is not None

    def due_in_seconds(self, ticket: Ticket) -> float:
        """Until a ticket is due, as far as is known; 0 when it is."""
        line, moment = self._now()
        return moment.due_in_seconds(line, ticket)

    async def reached(self, ticket: Ticket, *, until: float) -> float:
        """Waits till a ticket is due, so that turns which are due at nearly the same time start in their order.

        Args:
            ticket: A turn's place.
            until: Monotonic seconds; the longest it waits.

        Returns:
            0 when it is due, or when the ledger cannot say; else the seconds that are left.
        """
        while True:
            try:
                await self.look()
            except Unavailable:
                return 0.0
            wait = self.due_in_seconds(ticket)
            if wait <= 0 or self._clock.monotonic() + wait > until:
                return wait
            await self._clock.sleep(wait)

    def outlook(self, lane: Lane, tenant: str, tokens: float) -> float:
        """How long a turn that joined now would wait, in seconds."""
        line, moment = self._now()
        line, ticket = lines.joined(line, rank=RANKS[lane], tenant=tenant, tokens=tokens)
        return moment.due_in_seconds(line, ticket)

    def place(self, ticket: Ticket) -> int:
        """Place in the own flow, counted from 1, if the turns before it are of its size."""
        return 1 + round(lines.tokens_ahead(self._now()[0], ticket) / max(1.0, ticket.tokens))

    async def join(self, lane: Lane, tenant: str, tokens: float) -> tuple[Ticket, float]:
        """Takes the next place in the tenant's flow.

        Returns:
            The ticket, and the seconds until it is due.

        Raises:
            Unavailable: The ledger does not answer.
        """

        def edit(line: Line, moment: _Moment) -> tuple[Line, tuple[Ticket, float]]:
            line, ticket = lines.joined(line, rank=RANKS[lane], tenant=tenant, tokens=tokens)
            return line, (ticket, moment.due_in_seconds(line, ticket))

        ticket, seconds = await self._edit(edit)
        return ticket, seconds

    async def rewind(self, ticket: Ticket) -> float:
        """Tells all that a turn which was due found no budget; the seconds until it is due again.

        Raises:
            Unavailable: The ledger does not answer.
        """

        def edit(line: Line, moment: _Moment) -> tuple[Line, float]:
            line = lines.rewound(line, ticket, spent=moment.spent)
            return line, moment.due_in_seconds(line, ticket)

        return float(await self._edit(edit))

    async def promise(self, wait_seconds: float, tokens: float) -> float:
        """When a refused caller should come back: `wait_seconds` from now, behind all who were refused before.

        Returns:
            Seconds from now.

        Raises:
            Unavailable: The ledger does not answer.
        """

        def edit(line: Line, moment: _Moment) -> tuple[Line, float]:
            needs = tokens / moment.pace if moment.pace > 0 else 0.0
            at = max(moment.now + wait_seconds, line.promised_until) + needs
            at = min(at, moment.now + LONGEST_PROMISE_SECONDS)
            return dataclasses.replace(line, promised_until=at), at - moment.now

        return float(await self._edit(edit))

    async def may_call(self, seconds: float) -> bool:
        """The pool has tokens that nobody in line has taken, and this instance is to call sleepers to them.

        Args:
            seconds: An instance that was told so less than this ago keeps the right.

        Raises:
            Unavailable: The ledger does not answer.
        """
        now, accounts = self._clock.now(), self._accounts.open()
        usual = sum(state.tokens_per_minute / 60 for state in accounts.values())
        if (
            room_tokens(self._line, accounts, now, strangers=self._strangers(self._line)) < UNUSED_SECONDS * usual
            or now < self._line.called_at + seconds
        ):
            return False

        def edit(line: Line, moment: _Moment) -> tuple[Line, bool]:
            free = moment.now >= line.called_at + seconds
            return (dataclasses.replace(line, called_at=moment.now) if free else line), free

        return bool(await self._edit(edit))

    async def look(self) -> None:
        """Brings the knowledge up to date, unless it is; many callers share one look.

        Raises:
            Unavailable: The ledger does not answer.
        """
        if self._clock.monotonic() - self._known_at < LOOK_SECONDS:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._read())
        await asyncio.shield(self._looking)

    async def close(self) -> None:
        """Stops."""
        tasks = [task for task in (self._work, self._looking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _now(self) -> tuple[Line, _Moment]:
        """The line as it would be, fed with what is known to have come; worked out some times a slot."""
        now = self._clock.now()
        key = (id(self._line), math.floor(now / STEP_SECONDS), self._accounts.stamp())
        if key != self._worked_out_for:
            accounts, strangers = self._accounts.all(), self._strangers(self._line)
            line = fed(self._line, accounts, self._accounts.open(), now, strangers=strangers)
            self._worked_out = line, accounts, {strangers: supply(line, accounts, now, strangers=strangers)}
            self._worked_out_for = key
        line, accounts, supplies = self._worked_out

        def coming(line: Line) -> Supply:
            strangers = self._strangers(line)
            if strangers not in supplies:
                supplies[strangers] = supply(line, accounts, now, strangers=strangers)
            return supplies[strangers]

        return line, _Moment(now, coming(line).pace, line_spent(accounts), coming)

    def _strangers(self, line: Line) -> float:
        first = {flow.key for flow in line.flows if flow.rank == 0}
        return self._accounts.strangers(first) if first else 1.0

    async def _edit(self, edit: Edit) -> Any:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._edits.append((edit, done))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        """Carries out all edits that are there, in one conditional write, until there are none."""
        while self._edits:
            edits, self._edits = [entry for entry in self._edits if not entry[1].done()], []
            try:
                results = await self._apply([edit for edit, _ in edits])
            except Unavailable as fault:
                for _, done in edits:
                    if not done.done():
                        done.set_exception(Unavailable(str(fault), retry_after_seconds=fault.retry_after_seconds))
                continue
            except BaseException as fault:
                refuse((done for _, done in edits), fault)
                raise
            for (_, done), result in zip(edits, results, strict=True):
                if not done.done():
                    done.set_result(result)
            # Who has just written could write again at once and leave the others no chance.
            await self._clock.sleep(self._pause_seconds)

    async def _apply(self, edits: list[Edit]) -> list[Any]:
        for _ in range(TRIES):
            await self.look()
            line, moment = self._now()
            results = []
            for edit in edits:
                line, result = edit(line, moment)
                results.append(result)
            # What came while nobody waited is there for whoever joined just now.
            strangers = self._strangers(line)
            line = fed(line, self._accounts.all(), self._accounts.open(), moment.now, strangers=strangers)
            entry = await self._ledger.write(self._name, dataclasses.asdict(line), version=self._version)
            if entry is not None:
                self._learn(entry)
                self._pause_seconds = max(SHORTEST_PAUSE_SECONDS, CALMER * self._pause_seconds)
                return results
            self._known_at = -math.inf
            self._pause_seconds = min(LONGEST_PAUSE_SECONDS, 2 * self._pause_seconds)
            await self._clock.sleep(self._draw() * AGAIN_SECONDS)
        log.warning("crowd_line", line=self._name, tries=TRIES)
        raise Unavailable("Too many stand in line at once.", retry_after_seconds=1.0)

    async def _read(self) -> None:
        found, _ = await asyncio.gather(
            self._ledger.read(self._name), self._accounts.look(older_than_seconds=LOOK_SECONDS)
        )
        if found is None:
            self._line, self._version = Line(), None
        else:
            self._learn(found)
        self._known_at = self._clock.monotonic()

    def _learn(self, entry: LedgerEntry) -> None:
        account = dict(entry.account)
        self._line = Line(**account | {"flows": tuple(Flow(**flow) for flow in account["flows"])})
        self._version, self._known_at = entry.version, self._clock.monotonic()
