"""One deployment's budget as one instance uses it, in virtual time.

What is decided is decided by `shared.policies.{ledger,budget,breaker}`; this is `shared_budget.py` and
`ledger_account.py` of `shared/capacity/` without their tasks and futures, step by step the same: spent at once and
settled later while most of the quota is free, acquired before when it is scarce, many calls in one operation.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.simulation.agenda import Agenda
from bench.simulation.item import Item
from shared.capacity.shared_budget import (
    AHEAD_SECONDS,
    CALM,
    CALM_DEBT,
    CALM_SECONDS,
    CUT_SECONDS,
    FRESH_SECONDS,
    GRANT_REQUESTS,
    GRANT_SECONDS,
    IDLE_SECONDS,
    PLENTY,
    PLENTY_DEBT,
    SCARCE,
)
from shared.policies.breaker import CLOSED, Breaker
from shared.policies.budget import BudgetWindow
from shared.policies.choice import Candidate
from shared.policies.ledger import (
    SLOT_SECONDS,
    Ask,
    LedgerState,
    acquired,
    advanced,
    ceiling,
    limited,
    opened,
    overloaded,
    slot_of,
    spent,
    wait_seconds,
)

FORGET_SECONDS, SMOOTHING = 60.0, 0.2
Told = Callable[[float, float], None]
"""Called with the time and the seconds to wait; 0 when the call was spent."""
Edit = Callable[[LedgerState], LedgerState | None]


@dataclass(slots=True, eq=False)
class Change:
    """A change of the account that is made without waiting for it."""

    purse: "Purse"
    edit: Edit
    entered: tuple[float, int] = (0.0, 0)
    open: bool = False

    def change(self, now: float, value: LedgerState | None) -> LedgerState | None:
        return self.edit(advanced(value or self.purse.opened(now), slot_of(now)))

    def written(self, now: float) -> None:
        self.purse.learn(now, self.purse.item.value)

    def beaten(self, now: float) -> None:
        """The news is lost; the next refusal tells it again."""


class Purse:
    """Budget of one deployment for one instance."""

    __slots__ = (
        *("agenda", "item", "name", "limit_tokens", "limit_requests", "reads_first", "breaker"),
        *("known", "known_at", "window", "entered", "open"),
        *("first_token_seconds", "answered_at", "_waiting", "_working", "_paused", "_asks", "_paid", "_ahead"),
        *("_debt_tokens", "_debt_urgent", "_debt_requests", "_grant_tokens", "_grant_requests", "_grant_until"),
        *(
            "_served",
            "_slot_ends",
            "_cooling_until",
            "_now_for",
            "_now_state",
            "_limit",
            "_room",
            "_requests_room",
            "_plain",
            "_waits",
        ),
    )

    def __init__(
        self,
        agenda: Agenda,
        item: Item,
        name: str,
        *,
        limit_tokens: float,
        limit_requests: float,
        reads_first: bool = False,
    ) -> None:
        """Starts without knowledge."""
        self.reads_first = reads_first
        self.agenda, self.item, self.name = agenda, item, name
        self.limit_tokens, self.limit_requests = limit_tokens, limit_requests
        self.breaker: Breaker = CLOSED
        self.known: LedgerState | None = None
        self._now_for: LedgerState | None = None
        self.known_at = -math.inf
        self.window = BudgetWindow(limit_tokens=limit_tokens, limit_requests=limit_requests)
        self.entered, self.open = (0.0, 0), False
        self.first_token_seconds, self.answered_at = 0.0, 0.0
        self._waiting: list[tuple[Ask, float, Told]] = []
        self._asks: list[tuple[Ask, float, Told]] = []
        self._served: list[bool] = []
        self._working = self._paused = False
        self._paid, self._ahead = (0.0, 0.0, 0), (0.0, 0)
        self._debt_tokens, self._debt_urgent, self._debt_requests = 0.0, 0.0, 0
        self._grant_tokens, self._grant_requests, self._grant_until = 0.0, 0, 0.0
        self._slot_ends, self._cooling_until = 0.0, 0.0
        self._now_state: LedgerState
        self._room: float
        self._requests_room: int
        self._plain: bool
        self._limit: float
        self._waits: dict[bool, float] = {}

    # What is known

    def opened(self, now: float) -> LedgerState:
        """An account on which nothing was spent yet."""
        return opened(slot_of(now), limit_tokens=self.limit_tokens, limit_requests=self.limit_requests)

    def learn(self, now: float, state: LedgerState | None) -> None:
        """Knows the newest account."""
        self.known_at = now
        if state is not None and state is not self.known:
            self.known = state

    def _now(self, now: float) -> LedgerState:
        """The account at this moment, and what it has room for; worked out once a slot and version."""
        if now >= self._slot_ends or self._now_for is not self.known:
            self._work_out(now)
        return self._now_state

    def _work_out(self, now: float) -> None:
        slot, known, memory = math.floor(now / SLOT_SECONDS), self.known, self.item.memory
        self._slot_ends, self._now_for, self._waits = (slot + 1) * SLOT_SECONDS, known, {}
        if memory.get("slot") != slot:
            memory.clear()
            memory["slot"] = slot
        found = memory.get(id(known))
        if found is None or found[0] is not known:
            state = self.opened(now) if known is None else advanced(known, slot)
            room, plain = state.token_ceiling - state.spent, state.factor_now >= 1 and state.at >= state.claim_until
            found = memory[id(known)] = (known, state, room, state.request_room, plain, state.tokens_per_minute)
        _, self._now_state, self._room, self._requests_room, self._plain, self._limit = found
        self._cooling_until = self._now_state.cooling_until

    def state(self, now: float) -> LedgerState:
        """The account at this moment, as far as is known."""
        return self._now(now)

    @property
    def epoch(self) -> int:
        """The epoch in which a call is made now."""
        return 0 if self.known is None else self.known.epoch

    def cooling_seconds(self, now: float) -> float:
        """How long the deployment is still to be left alone."""
        return 0.0 if self.known is None else max(0.0, self.known.cooling_until - now)

    def outlook(self, now: float, ask: Ask) -> float:
        """Seconds until a call could start. Those that do not fit are told the same wait within a slot."""
        if self.known is None:
            return 0.0
        if now >= self._slot_ends or self._now_for is not self.known:
            self._work_out(now)
        if self._plain:
            fits = ask.tokens + ask.kept <= self._room and self._requests_room >= 1
        else:
            state = self._now_state
            fits = state.spent + ask.tokens <= ceiling(state, ask) and self._requests_room >= 1
        wait = 0.0 if fits else self._wait(now, self._now_state, ask)
        return wait if self._cooling_until <= now else max(self._cooling_until - now, wait)

    def _wait(self, now: float, state: LedgerState, ask: Ask) -> float:
        until = self._waits.get(ask.yields)
        if until is None or until <= now:
            until = self._waits[ask.yields] = now + wait_seconds(state, now, ask)
        return until - now

    def candidate(self, now: float, ask: Ask) -> Candidate:
        """What the choice needs to know."""
        expected = self.first_token_seconds
        if expected:
            expected *= math.pow(0.5, (now - self.answered_at) / FORGET_SECONDS)
        rests = 0.0 if self.breaker is CLOSED else self.breaker.wait_seconds(now)
        return Candidate(self.name, False, self.outlook(now, ask), rests, expected)

    # Spending

    def acquire(self, now: float, ask: Ask, due_at: float, told: Told) -> None:
        """Spends a call, or says how long to wait; at once when the ledger need not be asked."""
        wait = self._spend_locally(now, ask)
        if wait is None:
            self._waiting.append((ask, due_at, told))
            self._start(now)
        else:
            self._tell(now, ask, wait, told)

    def _tell(self, now: float, ask: Ask, wait: float, told: Told) -> None:
        if wait == 0:
            self.window.spend(now, ask.tokens)
        told(now, wait)

    def _spend_locally(self, now: float, ask: Ask) -> float | None:
        cooling = self.cooling_seconds(now)
        if cooling > 0:
            return cooling
        if (
            not ask.yields
            and now < self._grant_until
            and ask.tokens <= self._grant_tokens
            and self._grant_requests >= 1
        ):
            self._grant_tokens -= ask.tokens
            self._grant_requests -= 1
            return 0.0
        if self._may_owe(now, ask):
            self._debt_tokens += ask.tokens
            self._debt_urgent += 0.0 if ask.yields else ask.tokens
            self._debt_requests += 1
            self._start(now)
            return 0.0
        if self.known is not None and now - self.known_at < SLOT_SECONDS:
            wait = self.outlook(now, ask)
            return wait if wait > 0 else None
        return None

    def _may_owe(self, now: float, ask: Ask) -> bool:
        known, idle = self.known, self._debt_requests == 0
        if known is None or now - self.known_at > (IDLE_SECONDS if idle else FRESH_SECONDS):
            return False
        state = self._now(now)
        limit = self._limit
        owed = self._debt_tokens + ask.tokens
        used = max(known.utilisation, 1 - self._room / limit) + owed / limit
        calm = used < CALM and owed <= CALM_DEBT * limit
        plenty = CALM <= used < PLENTY and (owed <= PLENTY_DEBT * limit or idle)
        return (calm or plenty) and state.factor_now >= 1 and self._requests_room > self._debt_requests

    def _start(self, now: float) -> None:
        if not self._working:
            self._working = True
            self.agenda.at(now, self._settle)

    def _settle(self, now: float) -> None:
        if not self._waiting and not self._debt_requests:
            self._working = self._paused = False
            return
        calm = self.known is not None and self.known.utilisation < CALM
        if not self._waiting and calm and not self._paused:
            self._paused = True
            self.agenda.at(now + CALM_SECONDS, self._settle)
            return
        self._paused = False
        self._serve(now)

    def _serve(self, now: float) -> None:
        self._asks, self._waiting = sorted(self._waiting, key=lambda entry: entry[1]), []
        self._paid = (self._debt_tokens, self._debt_urgent, self._debt_requests)
        self._ahead = self._take_ahead(now)
        known = self.known
        if known is not None and known.slot == slot_of(now):
            arrives = now + self.item.patch(now)
            self.agenda.at(arrives, self._patch, known)
        else:
            self._ahead = (0.0, 0)
            if self.reads_first:
                self.agenda.at(now + self.item.read(now), self._have_read, self.item.value)
            else:
                self.item.replace(now, self)

    def _have_read(self, now: float, value: LedgerState | None) -> None:
        """As proposed: the slot may be open already."""
        if value is not None and value.slot == slot_of(now) and self.item.value.slot == value.slot:
            self.learn(now, value)
            self.agenda.at(now + self.item.patch(now), self._patch, value)
        else:
            self.item.replace(now, self)

    def _take_ahead(self, now: float) -> tuple[float, int]:
        known = self.known
        if not self._asks or known is None or known.utilisation > SCARCE or known.factor_now < 1:
            return 0.0, 0
        if any(ask.yields for ask, _, _ in self._asks) or (now < self._grant_until and self._grant_tokens > 0):
            return 0.0, 0
        tokens = self.window.spent(now) / 60 * AHEAD_SECONDS
        return (tokens, GRANT_REQUESTS) if tokens > 0 else (0.0, 0)

    def _patch(self, now: float, known: LedgerState) -> None:
        """The predicate of `CosmosLedger.take` at the store, and the increment."""
        value: LedgerState = self.item.value
        tokens, requests = self._ahead
        needed = sum(ask.tokens for ask, _, _ in self._asks) + self._paid[0] + tokens
        calls = len(self._asks) + self._paid[2] + requests
        highest = min((ceiling(known, ask) for ask, _, _ in self._asks), default=known.token_ceiling)
        fits = value.spent + needed <= highest and value.requests + calls <= known.request_ceiling
        if value.slot != known.slot or not fits:
            self._ahead = (0.0, 0)
            self.agenda.at(now + self.item.latency() / 2, self._replace)
            return
        urgent = sum(ask.tokens for ask, _, _ in self._asks if not ask.yields) + self._paid[1] + tokens
        self.item.changed(now, spent(value, tokens=needed, requests=calls, urgent=urgent))
        self._served = [True] * len(self._asks)
        self.agenda.at(now + self.item.latency() / 2, self.written)

    def _replace(self, now: float) -> None:
        self.item.replace(now, self)

    def change(self, now: float, value: LedgerState | None) -> LedgerState | None:
        """Moves the account to the slot and takes what fits; None when nothing does."""
        state = advanced(value or self.opened(now), slot_of(now))
        tokens, urgent, requests = self._paid
        if requests:
            state = spent(state, tokens=tokens, requests=requests, urgent=urgent)
        self._served = []
        for ask, _, _ in self._asks:
            after = acquired(state, ask)
            self._served.append(after is not None)
            state = after or state
        return state if requests or any(self._served) else None

    def written(self, now: float) -> None:
        """The operation's answer has come."""
        self.learn(now, self.item.value)
        tokens, urgent, requests = self._paid
        self._debt_tokens -= tokens
        self._debt_urgent -= urgent
        self._debt_requests -= requests
        if self._ahead[1]:
            until = (slot_of(now) + 1) * SLOT_SECONDS + GRANT_SECONDS
            self._grant_tokens, self._grant_requests, self._grant_until = (*self._ahead, until)
        self._answer(now)

    def beaten(self, now: float) -> None:
        """Others were quicker every time: nothing was acquired or settled."""
        self._served = [False] * len(self._asks)
        self._answer(now)

    def _answer(self, now: float) -> None:
        asks, served = self._asks, self._served
        self._asks = []
        for (ask, _, told), fits in zip(asks, served, strict=True):
            wait = 0.0 if fits or self.known is None else wait_seconds(self.known, now, ask)
            self._tell(now, ask, 0.0 if fits else max(wait, SLOT_SECONDS / 2), told)
        self._settle(now)

    # News

    def overload(self, now: float, *, epoch: int, cooling_seconds: float, tokens_per_minute: float | None) -> None:
        """Notes an overload: known here at once, and on every instance when it next looks."""
        until = now + cooling_seconds

        def edit(state: LedgerState) -> LedgerState:
            state = overloaded(state, epoch=epoch, until=until)
            if tokens_per_minute is None:
                return state
            return limited(state, tokens_per_minute=tokens_per_minute, until=until + CUT_SECONDS)

        self.known = edit(self._now(now))
        self.item.replace(now, Change(self, edit))

    def limit_named(self, now: float, tokens_per_minute: float) -> None:
        """Learns the limit that an answer's headers name, when it is another than the one in force."""
        state = self._now(now)
        if tokens_per_minute == state.tokens_per_minute:
            return
        until = now + CUT_SECONDS
        learned = limited(state, tokens_per_minute=tokens_per_minute, until=until)
        if learned.tokens_per_minute != state.tokens_per_minute:
            edit: Edit = lambda newest: limited(newest, tokens_per_minute=tokens_per_minute, until=until)  # noqa: E731
            self.item.replace(now, Change(self, edit))

    def answered(self, now: float, seconds: float) -> None:
        """Notes how long a first token took."""
        known = self.first_token_seconds
        if known:
            known *= math.pow(0.5, (now - self.answered_at) / FORGET_SECONDS)
        self.first_token_seconds = known + SMOOTHING * (seconds - known) if known else seconds
        self.answered_at = now
        self.breaker = self.breaker.succeeded()
