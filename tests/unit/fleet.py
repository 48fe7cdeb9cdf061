"""Instances, a ledger, lanes and a service in virtual time, with the app's own capacity code between them."""

import asyncio
import bisect
import dataclasses
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from shared.answering.work_turn import EARLY_SECONDS
from shared.capacity.attempts import Attempts, NoneLeft
from shared.capacity.capacity import Capacity, Want
from shared.capacity.usher import Usher
from shared.capacity.waiting_room import WaitingRoom
from shared.errors import Unavailable
from shared.events import TurnMessage
from shared.operating.operations import Switches
from shared.policies.deferral import head_start_seconds
from shared.policies.line import Ticket
from shared.ports import LedgerEntry
from shared.settings import Deployment
from shared.turns import Lane, Turn

LIMIT = 60_000
ANY: Any = None
DEPLOYMENT = Deployment(
    "chat", "m", "http://127.0.0.1:1/", "chat", tokens_per_minute=LIMIT, requests_per_minute=100_000
)


class VirtualClock:
    """Time that moves only when everybody sleeps."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, future))
        await future

    async def run_until(self, end: float) -> None:
        while True:
            for _ in range(30):
                await asyncio.sleep(0)
            self._sleepers = [entry for entry in self._sleepers if not entry[1].done()]
            due = min((at for at, _ in self._sleepers), default=end)
            if due >= end:
                self.time = end
                return
            self.time = max(self.time, due)
            for at, future in self._sleepers:
                if at <= self.time and not future.done():
                    future.set_result(None)


@dataclass
class MemoryLedger:
    """The ledger's contract in memory; every operation takes a moment and can be made to fail."""

    clock: VirtualClock
    entries: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)
    away: bool = False
    operations: int = 0

    async def _reach(self) -> None:
        self.operations += 1
        await self.clock.sleep(0.01)
        if self.away:
            raise Unavailable

    async def read(self, name: str) -> LedgerEntry | None:
        await self._reach()
        return self._entry(name)

    async def write(
        self, name: str, account: dict[str, Any], *, version: str | None, lasting: bool = False
    ) -> LedgerEntry | None:
        await self._reach()
        found = self._entry(name)
        if (None if found is None else found.version) != version:
            return None
        self.entries[name] = (dict(account), int(version or 0) + 1)
        return self._entry(name)

    async def take(
        self,
        name: str,
        *,
        slot: int,
        tokens: float,
        requests: int,
        urgent: float,
        token_ceiling: float,
        request_ceiling: float,
    ) -> LedgerEntry | None:
        await self._reach()
        account, version = self.entries[name]
        fits = account["spent"] + tokens <= token_ceiling and account["requests"] + requests <= request_ceiling
        if account["slot"] != slot or not fits:
            return None
        more = {"spent": tokens, "requests": requests, "urgent": urgent}
        self.entries[name] = (account | {key: account[key] + value for key, value in more.items()}, version + 1)
        return self._entry(name)

    def _entry(self, name: str) -> LedgerEntry | None:
        if name not in self.entries:
            return None
        account, version = self.entries[name]
        return LedgerEntry(dict(account), str(version))


@dataclass
class Served:
    """A turn of the fleet, and what became of it."""

    number: int
    lane: Lane
    tenant: str
    tokens: float
    booked_tokens: float
    created_at: float
    accepted_at: float = 0.0
    started_at: float | None = None
    refused: bool = False
    sleeps: int = 0
    ticket: Ticket | None = None
    due_at: float = 0.0
    wake: "asyncio.Future[None] | None" = None

    def as_turn(self) -> Turn:
        """As the store would give it."""
        ticket = None if self.ticket is None else dataclasses.asdict(self.ticket)
        return Turn(
            str(self.number), self.tenant, "", self.lane, (), self.created_at, 1e12, ticket=ticket, due_at=self.due_at
        )


@dataclass
class Office:
    """One instance."""

    capacity: Capacity
    room: WaitingRoom
    usher: Usher
    attempts: Attempts


@dataclass
class Queueing:
    """Turns that arrive, wait as the app lets them wait, and start; what the service saw is in `calls`."""

    instances: int = 2
    deployments: tuple[Deployment, ...] = (DEPLOYMENT,)
    clock: VirtualClock = field(default_factory=VirtualClock)
    served: list[Served] = field(default_factory=list)
    calls: list[tuple[float, float]] = field(default_factory=list)
    called: int = 0
    early_seconds: float = EARLY_SECONDS

    def __post_init__(self) -> None:
        # The app draws its pauses from the global generator; a run is to be the same every time.
        random.seed(1)
        self.ledger = MemoryLedger(self.clock)
        self.offices = [self._office() for _ in range(self.instances)]
        self.draw = random.Random(1)
        self.start = self.clock.now()

    def _office(self) -> Office:
        capacity = Capacity(
            self.deployments,
            ledger=self.ledger,
            clock=self.clock,
            share=1 / self.instances,
            switches=Switches(self.ledger, self.clock),
        )
        usher = Usher(capacity=capacity, store=self, queues=self, clock=self.clock, model="m")  # type: ignore[arg-type]
        attempts = Attempts(models=ANY, capacity=capacity, clock=self.clock)
        return Office(capacity, WaitingRoom(capacity, self.clock), usher, attempts)

    async def asleep(self, lane: Lane, after: float, *, limit: int) -> list[Turn]:
        """See `shared.ports.TurnStore`."""
        await self.clock.sleep(0.02)
        sleeping = [turn for turn in self.served if turn.wake is not None and turn.lane is lane and turn.due_at > after]
        sleeping.sort(key=lambda turn: turn.due_at)
        return [turn.as_turn() for turn in sleeping[:limit]]

    async def send(self, message: TurnMessage, *, time_to_live_seconds: float) -> None:
        """See `shared.ports.LaneQueues`: wakes the turn."""
        turn = self.served[int(message.turn_id)]
        if turn.wake is not None and not turn.wake.done():
            self.called += 1
            turn.wake.set_result(None)

    async def _sleep(self, turn: Served, seconds: float) -> None:
        """Until the appointment, or until the usher calls."""
        turn.due_at = self.clock.now() + seconds
        if seconds <= 0:
            return
        turn.wake = asyncio.get_running_loop().create_future()
        alarm = asyncio.create_task(self.clock.sleep(seconds))
        await asyncio.wait({turn.wake, alarm}, return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
        await asyncio.gather(alarm, return_exceptions=True)
        turn.wake = None

    async def arrive(self, turn: Served) -> None:
        """The way of one turn from the door to its start."""
        self.served.append(turn)
        office = self.draw.choice(self.offices)
        want = Want("m", turn.lane, turn.tenant, turn.booked_tokens, owner=str(turn.number), due_at=turn.created_at)
        direct = turn.lane is Lane.INTERACTIVE and not office.capacity.behind_others(want)
        if not (direct and office.capacity.outlook(want).name):
            wait = await office.room.look(want)
            if wait > 0 or office.capacity.outlook(want).name is None:
                appointment = await office.room.enter(want)
                turn.ticket = appointment.ticket
                turn.accepted_at = self.clock.now()
                office.usher.attend()
                await self._sleep(turn, appointment.wait_seconds)
        turn.accepted_at = turn.accepted_at or self.clock.now()
        await self._work(turn)

    async def _work(self, turn: Served) -> None:
        while True:
            office = self.draw.choice(self.offices)
            if turn.ticket is not None:
                wait = await office.room.due_in_seconds("m", turn.ticket)
                if wait > self.early_seconds:
                    turn.sleeps += 1
                    await self._sleep(turn, wait - head_start_seconds(wait))
                    continue
            await self.clock.sleep(self.draw.random() * 0.05)
            wait = await self._try(office, turn)
            if wait is None:
                return
            turn.sleeps += 1
            want = Want("m", turn.lane, turn.tenant, turn.tokens)
            appointment = await office.room.return_to(turn.as_turn(), want, at_least_seconds=wait)
            turn.ticket = appointment.ticket
            await self._sleep(turn, max(0.5, appointment.wait_seconds))

    async def _try(self, office: Office, turn: Served) -> float | None:
        """None when the turn started, else how long it has to wait."""
        want = Want(
            "m",
            turn.lane,
            turn.tenant,
            turn.tokens,
            owner=str(turn.number),
            ticket=turn.ticket,
            due_at=turn.created_at,
        )
        try:
            await office.attempts.acquire(want, [], frozenset())
        except NoneLeft as none_left:
            return none_left.wait_seconds
        turn.started_at = self.clock.now()
        self.calls.append((self.clock.now() + self.draw.random() * 0.1, turn.tokens))
        return None

    async def run(self, seconds: float, *drivers: Callable[["Queueing"], Awaitable[None]]) -> None:
        """Runs the drivers in virtual time, then stops everything."""
        tasks = [asyncio.ensure_future(driver(self)) for driver in drivers]
        await self.clock.run_until(self.clock.now() + seconds)
        for task in (*tasks, *self.arrivals):
            task.cancel()
        results = await asyncio.gather(*tasks, *self.arrivals, return_exceptions=True)
        for office in self.offices:
            await office.usher.close()
            await office.capacity.close()
        faults = [result for result in results if isinstance(result, Exception)]
        if faults:
            raise faults[0]

    arrivals: list["asyncio.Task[None]"] = field(default_factory=list)

    def enter(self, lane: Lane, tenant: str, tokens: float, *, booked: float | None = None) -> None:
        """A turn arrives now; `booked` is the estimate at the door when it differs."""
        turn = Served(len(self.served), lane, tenant, tokens, booked or tokens, self.clock.now())
        self.arrivals.append(asyncio.create_task(self.arrive(turn)))

    def utilisation(self, start: float, end: float) -> float:
        """Tokens that reached the service in a stretch of the run, as a part of the quota; seconds from the start."""
        quota = sum(deployment.tokens_per_minute for deployment in self.deployments) / 60
        spent = sum(tokens for at, tokens in self.calls if start <= at - self.start < end)
        return spent / (quota * (end - start))

    def waits(self, lane: Lane, tenant: str | None = None) -> list[float]:
        """How long the turns that started had waited."""
        return sorted(
            turn.started_at - turn.created_at
            for turn in self.served
            if turn.started_at is not None and turn.lane is lane and tenant in {None, turn.tenant}
        )

    def inversions(self) -> float:
        """Of all pairs of a lane and tenant that waited at the same time, the part that started in the other order."""
        waited = [turn for turn in self.served if turn.started_at is not None and turn.ticket is not None]
        flows: dict[tuple[Lane, str], list[tuple[float, float]]] = {}
        for turn in waited:
            flows.setdefault((turn.lane, turn.tenant), []).append((turn.created_at, turn.started_at or 0.0))
        pairs = [
            (first[1], second[1])
            for flow in flows.values()
            for first, second in itertools.combinations(flow, 2)
            if second[0] < first[1]
        ]
        return sum(first > second for first, second in pairs) / max(1, len(pairs))

    def neighbours_out_of_order(self) -> float:
        """Of a turn and the last one of its lane and tenant that was accepted before it came: how many start first."""
        flows: dict[tuple[Lane, str], list[Served]] = {}
        for turn in sorted(self.served, key=lambda turn: turn.accepted_at):
            flows.setdefault((turn.lane, turn.tenant), []).append(turn)
        pairs = list[tuple[Served, Served]]()
        for flow in flows.values():
            accepted = [turn.accepted_at for turn in flow]
            for turn in flow:
                before = bisect.bisect_left(accepted, turn.created_at)
                pairs += [(flow[before - 1], turn)] if before else []
        return sum((first.started_at or 0) > (second.started_at or 0) for first, second in pairs) / max(1, len(pairs))

    def most_in_a_window(self) -> float:
        """The most tokens that any 60 seconds held at the service."""
        return most_in_a_window(self.calls)


def most_in_a_window(calls: list[tuple[float, float]]) -> float:
    """The most tokens that any 60 seconds held."""
    ordered = sorted(calls)
    most, window, first = 0.0, 0.0, 0
    for at, tokens in ordered:
        window += tokens
        while ordered[first][0] <= at - 60:
            window -= ordered[first][1]
            first += 1
        most = max(most, window)
    return most
