"""A pool in virtual time: its deployments, their accounts and line, the instances, and the way of each turn.

The way is that of `shared/{accept_turn,work_turn,attempts,capacity,waiting_room,deferrals,usher}.py`; every decision
on it is made by the functions of `shared.policies` that those call.
"""

import heapq
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from bench.simulation.agenda import Agenda
from bench.simulation.assumptions import Assumptions
from bench.simulation.item import Item
from bench.simulation.line_writer import Edit, LineWriter, Tell
from bench.simulation.plan import STEP_SECONDS, Arrivals, Asked, Plan
from bench.simulation.purse import Purse
from bench.simulation.service import Answer, Service
from bench.simulation.tally import LANES, Tally
from bench.simulation.view import PARTS, View
from bench.simulation.view import SECONDS as VIEW_SECONDS
from shared.answering.accept_turn import SHORTEST_SLEEP_SECONDS
from shared.answering.work_turn import EARLY_SECONDS
from shared.capacity.attempts import NO_RETRY_SECONDS, PATIENCE_SECONDS, SHORTEST_WAIT_SECONDS
from shared.capacity.deployment_state import COOLING_WHEN_UNSAID_SECONDS, LONGEST_COOLING_SECONDS
from shared.capacity.usher import EARLY_SECONDS as CALLED_EARLY_SECONDS
from shared.capacity.usher import IDLE_ROUNDS, MOST_CALLED, ROUND_SECONDS, SOON_SECONDS
from shared.capacity.waiting_line import AGAIN_SECONDS, LOOK_SECONDS, UNUSED_SECONDS
from shared.capacity.waiting_line import TRIES as LINE_TRIES
from shared.policies.admission import refusal_seconds
from shared.policies.choice import Choice, choose
from shared.policies.deferral import defer
from shared.policies.fairness import CROWD, TenantShares
from shared.policies.ledger import Ask, LedgerState, advanced, slot_of
from shared.policies.line import Line, Ticket
from shared.policies.promotion import moves_up
from shared.policies.retries import RetryBudget
from shared.policies.supply import room_tokens

START = 1_700_000_000.0
CHECKPOINT_SECONDS = 2.0
ACCOUNT_TRIES = 5
ACCOUNT_BYTES = 2_400
"""An account as JSON with what the store adds: 123 and 23 marks of some 14 digits."""
MOST_NOT_DUE = 20
"""After so many sleepers that are not due the usher is taken to have seen all that are."""


@dataclass(slots=True, eq=False)
class Turn:
    """A turn on its way. Times are seconds of virtual time."""

    rank: int
    tenant: str
    tokens: float
    created_at: float
    deadline_at: float
    instance: "Instance"
    direct: bool = False
    ticket: Ticket | None = None
    until: float = 0.0
    due_at: float = 0.0
    copies: int = 0
    sleeping: int = 0
    tried: frozenset[str] = frozenset()
    ended: bool = False


@dataclass(slots=True, eq=False)
class Instance:
    """What one instance keeps for itself of this pool."""

    purses: dict[str, Purse]
    writer: LineWriter
    retries: RetryBudget = field(default_factory=RetryBudget)
    looked_at: float = -math.inf
    view: View | None = None
    attends_until: float = -math.inf


class Pool:
    """One model's deployments and all that use them."""

    def __init__(self, plan: Plan, number: int, assumed: Assumptions) -> None:
        """Builds it; `number` tells it from the plan's other pools."""
        self.plan, self.assumed, self.tally = plan, assumed, Tally()
        self.draw = random.Random(f"{plan.seed}:{plan.shape}:{number}")
        self.agenda = Agenda(START)
        count = plan.deployments // plan.pools + (number < plan.deployments % plan.pools)
        self.services = {
            name: Service(name, tokens_per_minute=plan.tokens_per_minute, requests_per_minute=plan.requests_per_minute)
            for name in (f"chat-{number}-{index}" for index in range(count))
        }
        self.accounts = {name: self._item("account", ACCOUNT_TRIES, 0.0) for name in self.services}
        for item in self.accounts.values():
            item.size_bytes = ACCOUNT_BYTES
        self.line = self._item("line", LINE_TRIES, AGAIN_SECONDS / 2)
        self.line.value = Line()
        self.shares = TenantShares()
        self.instances = [self._instance() for _ in range(plan.instances)]
        self.sleepers: list[dict[Turn, None]] = [{} for _ in LANES]
        self.deadlines = [assumed.turns.deadline_seconds[lane] for lane in LANES]
        self._view: View | None = None
        self._ushering = False

    def _item(self, kind: str, tries: int, pause: float) -> Item:
        return Item(
            kind,
            None,
            agenda=self.agenda,
            draw=self.draw,
            network=self.assumed.network,
            store=self.assumed.store,
            tally=self.tally,
            tries=tries,
            pause_seconds=pause,
        )

    def _instance(self) -> Instance:
        purses = {
            name: Purse(
                self.agenda,
                self.accounts[name],
                name,
                limit_tokens=service.tokens_per_minute,
                limit_requests=service.requests_per_minute,
                reads_first=self.plan.reads_first,
            )
            for name, service in self.services.items()
        }
        return Instance(purses, LineWriter(self.agenda, self.line, self.view))

    # The run

    def run(self) -> Tally:
        """Plays the whole plan."""
        lanes = tuple(self.assumed.turns.lanes[lane] for lane in LANES)
        steps = Arrivals(self.plan, self.draw, lanes).steps()
        self._ask_step(START, steps)
        self._troubles()
        self.agenda.run(START + self.plan.seconds)
        return self._closed()

    def _ask_step(self, _now: float, steps: Iterator[tuple[float, list[Asked]]]) -> None:
        """Draws the turns of the next half second, and does so again at its end."""
        step = next(steps, None)
        if step is None:
            return
        begin, turns = step
        for asked in turns:
            self.agenda.at(START + asked.at, self._asked, asked)
        self.agenda.at(START + begin + STEP_SECONDS, self._ask_step, steps)

    def _troubles(self) -> None:
        for trouble in self.plan.troubles:
            struck = [service for index, service in enumerate(self.services.values()) if index % trouble.every == 0]
            self.agenda.at(START + trouble.begins, self._strike, struck, trouble.factor, trouble.gone)
            self.agenda.at(START + trouble.ends, self._strike, struck, 1.0, False)
        self.agenda.at(START, self._permit)

    def _strike(self, _now: float, struck: list[Service], factor: float, gone: bool) -> None:
        for service in struck:
            service.factor, service.gone = factor, gone

    def _permit(self, now: float) -> None:
        """What the limits in force permit in the second that begins."""
        permitted = sum(0.0 if service.gone else service.limit for service in self.services.values()) / 60
        self.tally.quota[round(now - START)] += permitted
        self.agenda.at(now + 1.0, self._permit)

    def _closed(self) -> Tally:
        tally = self.tally
        for lane in LANES:
            ends = tally.ends
            ends[lane, "waiting"] = ends[lane, "asked"] - sum(
                ends[lane, end] for end in ("answered", "refused", "expired")
            )
        tally.overshoots = {name: service.overshoot for name, service in self.services.items()}
        tally.most_admitted = {name: service.most_admitted for name, service in self.services.items()}
        tally.events = self.agenda.events
        return tally

    # The door

    def _asked(self, now: float, asked: Asked) -> None:
        instance = self.draw.choice(self.instances)
        turn = Turn(asked.rank, asked.tenant, asked.tokens, now, now + self.deadlines[asked.rank], instance)
        tally, second = self.tally, int(now - START)
        tally.ends[LANES[turn.rank], "asked"] += 1
        tally.waiting[turn.rank][second] += 1
        tally.demanded[second // 60, LANES[turn.rank], turn.tenant] += turn.tokens
        tally.estimate_tokens += turn.tokens
        if turn.rank == 0 and not self._behind_others(instance, turn):
            choice = self._choose(now, turn, {})
            if choice.name is not None:
                turn.direct, turn.until = True, now + PATIENCE_SECONDS
                self._spend(now, turn, choice.name, {})
                return
        self.agenda.at(now + self._look(now, instance), self._appoint, turn)

    def _appoint(self, now: float, turn: Turn) -> None:
        instance = turn.instance
        if not self._behind_others(instance, turn) and self._choose(now, turn, {}).name is not None:
            self._send(now, turn, 0.0)
            return
        view = self._known(now, instance)
        wait = view.outlook(now, turn.rank, turn.tenant, turn.tokens)
        refusal = refusal_seconds(wait_seconds=wait, deadline_seconds=turn.deadline_at - now)
        if refusal is not None:
            self._end(now, turn, "refused")
            instance.writer.add(now, self._edit(turn, lambda *_: None, promise_seconds=refusal))
            return
        self._attend(now, instance)
        instance.writer.add(now, self._edit(turn, partial(self._placed, turn)))

    @staticmethod
    def _edit(turn: Turn, tell: Tell, *, back: Ticket | None = None, promise_seconds: float | None = None) -> Edit:
        return Edit(turn.rank, turn.tenant, turn.tokens, tell, back, promise_seconds)

    def _placed(self, turn: Turn, now: float, ticket: Ticket | None, seconds: float) -> None:
        turn.ticket = ticket
        self._send(now, turn, seconds if seconds > SHORTEST_SLEEP_SECONDS else 0.0)

    # Looking

    def view(self, now: float) -> View:
        """The newest view."""
        if self._view is None or now - self._view.at >= VIEW_SECONDS:
            slot = slot_of(now)
            accounts = {
                name: advanced(item.value, slot) if item.value is not None else self._unused(name, now)
                for name, item in self.accounts.items()
            }
            rests = self.instances[0].purses
            taking = {
                name: state
                for name, state in accounts.items()
                if state.cooling_until <= now and rests[name].breaker.wait_seconds(now) <= 0
            }
            line: Line = self.line.value
            first = {flow.key for flow in line.flows if flow.rank == 0}
            strangers = self.shares.others_share(now, first) if first else 1.0
            self._view = View(now, line, accounts, taking, strangers)
        return self._view

    def _unused(self, name: str, now: float) -> LedgerState:
        return self.instances[0].purses[name].opened(now)

    def _look(self, now: float, instance: Instance) -> float:
        """Brings an instance's knowledge up to date; the seconds that this takes, 0 when it is."""
        if now - instance.looked_at < LOOK_SECONDS:
            return 0.0
        instance.looked_at, instance.view = now, self.view(now)
        seconds = self.line.read(now)
        for name, purse in instance.purses.items():
            if now - purse.known_at > LOOK_SECONDS:
                item = self.accounts[name]
                seconds = max(seconds, item.read(now))
                purse.learn(now, item.value)
        return seconds

    def _known(self, now: float, instance: Instance) -> View:
        return instance.view or self.view(now)

    def _behind_others(self, instance: Instance, turn: Turn) -> bool:
        view = instance.view
        if view is None or turn.ticket is not None:
            return False
        return view.waits(0, turn.tenant) if turn.rank == 0 else view.anybody

    # Choosing and calling

    def _asks(self, now: float, turn: Turn) -> Callable[[str], Ask]:
        """What a turn asks of each deployment by name; worked out once where it is the same for all."""
        first, booked = turn.rank == 0, turn.ticket is not None
        others = self.shares.others_share(now, (turn.tenant,)) if first else 1.0
        if booked or not first:
            view, part = self.view(now), math.ceil(PARTS * others) / PARTS
            return lambda name: Ask(turn.tokens, yields=True, kept=view.kept_at(name, part=part))
        if others < 1 - CROWD:
            purses = turn.instance.purses
            return lambda name: Ask(turn.tokens, kept=others * purses[name].state(now).urgent_per_second * 60)
        ask = Ask(turn.tokens)
        return lambda _name: ask

    def _choose(self, now: float, turn: Turn, without: Mapping[str, float]) -> Choice:
        asks = self._asks(now, turn)
        return choose(
            [purse.candidate(now, asks(name)) for name, purse in turn.instance.purses.items() if name not in without],
            tried=turn.tried,
        )

    def _run(self, now: float, turn: Turn) -> None:
        if self._behind_others(turn.instance, turn):
            self._put_off(now, turn, 0.0)
            return
        turn.until, turn.tried = now + PATIENCE_SECONDS, frozenset()
        self._acquire(now, turn, {})

    def _acquire(self, now: float, turn: Turn, without: Mapping[str, float]) -> None:
        choice = self._choose(now, turn, without)
        if choice.name is None:
            wait = min([choice.wait_seconds, *without.values()])
            if now + wait > turn.until:
                self._put_off(now, turn, wait)
            else:
                self.agenda.at(now + max(SHORTEST_WAIT_SECONDS, wait), self._acquire, turn, {})
            return
        self._spend(now, turn, choice.name, without)

    def _spend(self, now: float, turn: Turn, name: str, without: Mapping[str, float]) -> None:
        ask = self._asks(now, turn)(name)
        told = partial(self._told, turn, name, without)
        turn.instance.purses[name].acquire(now, ask, turn.created_at, told)

    def _told(self, turn: Turn, name: str, without: Mapping[str, float], now: float, wait: float) -> None:
        if wait > 0:
            self._acquire(now, turn, {**without, name: wait})
            return
        purse = turn.instance.purses[name]
        if turn.rank == 0 and turn.ticket is None:
            self.shares.spent(now, turn.tenant, turn.tokens)
        purse.breaker = purse.breaker.calling(now)
        under_way = self.assumed.network.model_seconds * (0.5 + self.draw.expovariate(2.0)) / 2
        self.agenda.at(now + under_way, self._called, turn, name, purse.epoch)

    def _called(self, now: float, turn: Turn, name: str, epoch: int) -> None:
        service, purse = self.services[name], turn.instance.purses[name]
        answer, wait = service.ask(now, turn.tokens)
        self.tally.calls[answer.value] += 1
        if answer is Answer.ADMITTED:
            self._answered(now, turn, service, purse)
            return
        instance = turn.instance
        if answer is Answer.GONE:
            purse.breaker = purse.breaker.failed(now)
        else:
            self.tally.refused_calls[int(now - START)] += 1
            purse.breaker = purse.breaker.succeeded()
            cooling = min(wait or COOLING_WHEN_UNSAID_SECONDS, LONGEST_COOLING_SECONDS)
            cut = service.limit if service.factor < 1 else None
            purse.overload(now, epoch=epoch, cooling_seconds=cooling, tokens_per_minute=cut)
        turn.tried |= {name}
        if not instance.retries.allows:
            self._put_off(now, turn, NO_RETRY_SECONDS)
            return
        instance.retries = instance.retries.retried()
        turn.until = now
        self._acquire(now, turn, {})

    def _answered(self, now: float, turn: Turn, service: Service, purse: Purse) -> None:
        plan, tally, instance = self.plan, self.tally, turn.instance
        first = plan.first_token_seconds * self.draw.lognormvariate(0.0, self.assumed.answers.spread)
        purse.answered(now, first)
        purse.limit_named(now, service.limit)
        instance.retries = instance.retries.succeeded()
        seconds = first + plan.between_tokens_seconds * plan.answer_tokens
        tally.admitted[int(now - START)] += turn.tokens
        tally.served[int(now - START) // 60, LANES[turn.rank], turn.tenant] += turn.tokens
        tally.answer_seconds += seconds
        tally.checkpoints += int(seconds / CHECKPOINT_SECONDS)
        tally.direct += turn.direct
        if turn.rank == 0 and not turn.direct:
            tally.streamed += 1
            tally.stream_seconds += seconds - first
        self._waited(now, turn)
        self._end(now, turn, "answered")

    def _waited(self, now: float, turn: Turn) -> None:
        tally, wait = self.tally, now - turn.created_at
        tally.waits[turn.rank].append(wait)
        asked = int(turn.created_at - START)
        tally.wait_sums[turn.rank][asked] += wait
        tally.wait_counts[turn.rank][asked] += 1
        if wait > 1:
            tally.long_waits[int(turn.created_at + 1 - START)] += 1
            tally.long_waits[int(now - START)] -= 1

    def _end(self, now: float, turn: Turn, end: str) -> None:
        turn.ended = True
        self.tally.ends[LANES[turn.rank], end] += 1
        self.tally.waiting[turn.rank][int(now - START)] -= 1

    # Waiting

    def _put_off(self, now: float, turn: Turn, wait: float) -> None:
        """Nobody has budget: back to the line."""
        at_least = wait if math.isfinite(wait) else 0.0
        turn.direct = False
        told = partial(self._put_back, turn, at_least)
        turn.instance.writer.add(now, self._edit(turn, told, back=turn.ticket))

    def _put_back(self, turn: Turn, at_least: float, now: float, ticket: Ticket | None, seconds: float) -> None:
        seconds = max(at_least, seconds)
        if ticket is not None and turn.ticket is not None and turn.rank > 0 and ticket.rank > 0:
            view = self.view(now)
            higher = view.outlook(now, ticket.rank - 1, turn.tenant, turn.tokens)
            if moves_up(wait_seconds=seconds, higher_wait_seconds=higher, left_seconds=turn.deadline_at - now):
                edit = Edit(ticket.rank - 1, turn.tenant, turn.tokens, partial(self._sleep_on, turn, at_least))
                turn.instance.writer.add(now, edit)
                return
        self._sleep_on(turn, at_least, now, ticket, seconds)

    def _sleep_on(self, turn: Turn, at_least: float, now: float, ticket: Ticket | None, seconds: float) -> None:
        turn.ticket = ticket or turn.ticket
        draw = 0.0 if turn.ticket is not None else self.draw.random()
        wait = max(at_least, seconds)
        decision = defer(now=now, wait_seconds=wait, copies=turn.copies, deadline_at=turn.deadline_at, draw=draw)
        turn.copies += 1
        if decision.until is None:
            self._end(now, turn, "expired")
            return
        self._send(now, turn, decision.until - now)

    def _send(self, now: float, turn: Turn, seconds: float) -> None:
        """A message for now or later."""
        tally = self.tally
        tally.lane_messages += 1
        turn.sleeping += 1
        turn.due_at = now + seconds
        if turn.due_at >= turn.deadline_at:
            self._end(now, turn, "expired")
            return
        if seconds > 0:
            tally.sleeps += 1
            self.sleepers[turn.rank][turn] = None
        network = self.assumed.network
        latency = network.bus_seconds * (0.5 + self.draw.expovariate(2.0)) + network.store_seconds
        self.agenda.at(turn.due_at + latency, self._woken, turn, turn.sleeping)

    def _woken(self, now: float, turn: Turn, sleeping: int) -> None:
        if turn.ended or sleeping != turn.sleeping:
            return
        self.sleepers[turn.rank].pop(turn, None)
        turn.instance = self.draw.choice(self.instances)
        if turn.ticket is None:
            self._run(now, turn)
            return
        self._attend(now, turn.instance)
        self.agenda.at(now + self._look(now, turn.instance), self._due, turn)

    def _due(self, now: float, turn: Turn) -> None:
        assert turn.ticket is not None
        wait = self._known(now, turn.instance).due_in_seconds(now, turn.ticket)
        if wait > EARLY_SECONDS and now + wait < turn.deadline_at:
            self._send(now, turn, wait)
        else:
            self._run(now, turn)

    # The usher

    def _attend(self, now: float, instance: Instance) -> None:
        instance.attends_until = now + IDLE_ROUNDS * ROUND_SECONDS
        if not self._ushering:
            self._ushering = True
            self.agenda.at(now + ROUND_SECONDS, self._round)

    def _round(self, now: float) -> None:
        """Every instance that knows of somebody looks once a second; one of them calls sleepers forward."""
        anybody = bool(self.line.value.flows)
        attending = [instance for instance in self.instances if instance.attends_until >= now]
        for instance in attending:
            self._look(now, instance)
            if anybody:
                instance.attends_until = now + IDLE_ROUNDS * ROUND_SECONDS
        self._ushering = bool(attending)
        if attending:
            if any(self.sleepers):
                # Who calls sees those who sleep, though the line has nobody left.
                attending[0].attends_until = now + IDLE_ROUNDS * ROUND_SECONDS
            self._call_forward(now, attending[0])
            self.agenda.at(now + ROUND_SECONDS, self._round)

    def _call_forward(self, now: float, instance: Instance) -> None:
        view = self.view(now)
        usual = sum(state.tokens_per_minute / 60 for state in view.open.values())
        if room_tokens(view.line, view.open, now, strangers=view.strangers) < UNUSED_SECONDS * usual:
            return
        # The right to call is a write to the line like any other.
        instance.writer.add(now, Edit(0, "", 0.0, partial(self._call, view), promise_seconds=-math.inf))

    def _call(self, view: View, now: float, _ticket: Ticket | None, _seconds: float) -> None:
        self.tally.call_rounds += 1
        for sleeping in self.sleepers:
            late = (turn for turn in sleeping if turn.due_at > now + SOON_SECONDS)
            not_due = 0
            for turn in heapq.nsmallest(MOST_CALLED, late, key=lambda turn: turn.due_at):
                if turn.ticket is None or view.due_in_seconds(now, turn.ticket) > CALLED_EARLY_SECONDS:
                    not_due += 1
                    if not_due >= MOST_NOT_DUE:
                        break
                    continue
                sleeping.pop(turn, None)
                self.tally.called_forward += 1
                self.tally.lane_messages += 1
                turn.sleeping += 1
                self.agenda.at(now + self.assumed.network.bus_seconds, self._woken, turn, turn.sleeping)
