"""One deployment's budget as this instance uses it: decided locally, settled with all instances through the ledger.

While the quota is mostly free, calls are spent at once and settled after (post-paid); when it gets scarce, they are
acquired before (pre-paid), many in one operation. The cost at the ledger grows with instances, not with turns.
"""

import asyncio
import math
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from shared.capacity.ledger_account import NOTHING, Contended, LedgerAccount, Spending
from shared.capacity.spending import Debt, Grant, Waiting
from shared.errors import Unavailable
from shared.policies.breaker import OPEN_SECONDS
from shared.policies.budget import BudgetWindow
from shared.policies.ledger import SLOT_SECONDS, Ask, LedgerState, claimed, limited, overloaded, wait_seconds
from shared.policies.outage import failed, is_back
from shared.ports import Clock, Ledger
from shared.settings import Deployment
from shared.telemetry import log
from shared.waiters import refuse

CALM, CALM_DEBT, CALM_SECONDS = 0.1, 0.02, 0.1
"""Below this utilisation an instance may owe this part of the limit for so many seconds."""
PLENTY, PLENTY_DEBT = 0.5, 0.01
"""Below this one it may owe so much, or one call, and settles at once. Above it calls are pre-paid."""
FRESH_SECONDS = 2.0
IDLE_SECONDS = 60.0
"""One call may be post-paid on knowledge this old; settling it brings the knowledge up to date."""
GRANT_SECONDS = 0.25
"""How long after its slot the rest of a grant may be used; the ledger allows half a second until it arrives."""
OUTAGE_SECONDS = 1.0
CUT_SECONDS = 30.0
"""How long a lower limit is believed after the service last named it."""
GRANT_REQUESTS = 4
"""Requests acquired together with tokens for the calls to come."""
AHEAD_SECONDS = 0.5
SCARCE = 0.8
"""Above this utilisation nothing is acquired ahead of need."""


@dataclass(slots=True)
class SharedBudget:
    """Budget of one deployment for one instance.

    Attributes:
        deployment: Whose budget it is.
        ledger: Where all instances settle.
        clock: Time.
        share: Part of the quota to use while the ledger is away and this instance has no history.
        degraded: The ledger is away, and the instance keeps to its own share.
    """

    deployment: Deployment
    ledger: Ledger
    clock: Clock
    share: float
    degraded: bool = False
    window: BudgetWindow = field(init=False)
    account: LedgerAccount = field(init=False)
    _grant: Grant = field(default_factory=Grant)
    _debt: Debt = field(default_factory=Debt)
    _waiting: list[Waiting] = field(default_factory=list)
    _work: "asyncio.Task[None] | None" = None
    _news: "set[asyncio.Task[None]]" = field(default_factory=set)
    _away_until: float = -math.inf

    def __post_init__(self) -> None:
        """Starts without knowledge."""
        self.account = LedgerAccount(self.deployment, self.ledger, self.clock)
        self.window = BudgetWindow(
            limit_tokens=self.deployment.tokens_per_minute, limit_requests=self.deployment.requests_per_minute
        )

    @property
    def tokens_per_minute(self) -> float:
        """The limit in force for the whole fleet."""
        return self.account.now.tokens_per_minute

    @property
    def epoch(self) -> int:
        """The epoch in which a call is made now."""
        return 0 if self.account.known is None else self.account.known.epoch

    @property
    def utilisation(self) -> float | None:
        """Part of the quota that the fleet has in use, as last known; None when nothing is known."""
        return None if self.account.known is None else round(self.account.now.utilisation, 4)

    @property
    def cooling_seconds(self) -> float:
        """How long the deployment is still to be left alone."""
        known = self.account.known
        return 0.0 if known is None else max(0.0, known.cooling_until - self.clock.now())

    def outlook(self, ask: Ask) -> float:
        """Seconds until a call could start, as far as is known here; nothing is spent."""
        if self.clock.monotonic() < self._away_until:
            return self.window.wait_seconds(self.clock.monotonic(), ask.tokens)
        if self.account.known is None:
            return 0.0
        return max(self.cooling_seconds, wait_seconds(self.account.now, self.clock.now(), ask))

    async def acquire(self, ask: Ask, *, due_at: float = math.inf, probes: bool = False) -> float:
        """Spends a call and returns 0, or returns the seconds until it may be tried again.

        Args:
            ask: The call.
            due_at: Since when it is due; the earliest is served first.
            probes: The last call here met a fault; others may know more.
        """
        if probes and self.account.age_seconds > SLOT_SECONDS:
            await self.look()
        wait = self._spend_locally(ask)
        if wait is None:
            waiting = Waiting(ask, due_at, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            self._start()
            wait = await waiting.done
        if wait == 0:
            self.window.spend(self.clock.monotonic(), ask.tokens)
        return wait

    def overload(self, *, epoch: int, cooling_seconds: float, tokens_per_minute: float | None) -> None:
        """Notes an overload: known here at once, and on every instance when it next looks.

        Args:
            epoch: In which the call was made.
            cooling_seconds: How long to leave the deployment alone.
            tokens_per_minute: The limit that the service named, when it was below the configured one.
        """
        now = self.clock.now()
        until, cut_until = now + cooling_seconds, now + cooling_seconds + CUT_SECONDS

        def edit(state: LedgerState) -> LedgerState:
            state = overloaded(state, epoch=epoch, until=until)
            return (
                state
                if tokens_per_minute is None
                else limited(state, tokens_per_minute=tokens_per_minute, until=cut_until)
            )

        self.account.known = edit(self.account.now)
        self._tell(self.account.change(edit))

    def faulty(self, faults: int, retry_after_seconds: float | None) -> None:
        """Tells all instances of faults, after which this one leaves the deployment alone.

        Args:
            faults: How many were not told yet.
            retry_after_seconds: The wait that the service asked for; None when it named none.
        """
        until = self.clock.now() + max(OPEN_SECONDS, retry_after_seconds or 0.0)
        self._tell(self.account.change(lambda state: failed(state, faults=faults, until=until)))

    def answered(self) -> None:
        """Tells all instances that the deployment is back, if they think it is not."""
        if self._failing:
            self._tell(self.account.change(is_back))

    def limit_named(self, tokens_per_minute: float) -> None:
        """Learns the limit that an answer's headers name, when it is another than the one in force."""
        state = self.account.now
        if tokens_per_minute in {state.tokens_per_minute, 0}:
            return
        until = self.clock.now() + CUT_SECONDS
        learned = limited(state, tokens_per_minute=tokens_per_minute, until=until)
        if learned.tokens_per_minute != state.tokens_per_minute:
            self._tell(
                self.account.change(lambda newest: limited(newest, tokens_per_minute=tokens_per_minute, until=until))
            )

    def claim(self, ask: Ask, wait: float) -> None:
        """Keeps room for a call that comes again in `wait` seconds, against others that wait."""
        at = self.clock.now() + wait
        self._tell(self.account.change(lambda state: claimed(state, tokens=ask.tokens, at=at, owner=ask.owner)))

    async def look(self) -> None:
        """Brings the knowledge up to date."""
        try:
            await self.account.look()
        except Unavailable:
            self._lose()

    async def close(self) -> None:
        """Stops settling; what is owed then is a fraction of a second's worth."""
        tasks = [task for task in (self._work, *self._news) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _failing(self) -> bool:
        return self.account.known is not None and self.account.known.failing

    def _tell(self, change: Coroutine[Any, Any, bool]) -> None:
        async def carry_out() -> None:
            failing = self._failing
            try:
                await change
            except Unavailable:
                self._lose()
            if self._failing and not failing:
                log.warning("rest_deployment", deployment=self.deployment.name, seconds=round(self.cooling_seconds, 1))
            elif failing and not self._failing:
                log.info("regain_deployment", deployment=self.deployment.name)

        task = asyncio.create_task(carry_out())
        self._news.add(task)
        task.add_done_callback(self._news.discard)

    def _spend_locally(self, ask: Ask) -> float | None:
        """0 when the call is spent, a wait when it cannot be, None when the ledger has to be asked."""
        now, monotonic = self.clock.now(), self.clock.monotonic()
        if monotonic < self._away_until:
            return self._spend_alone(ask)
        if self.cooling_seconds > 0:
            return self.cooling_seconds
        if not self._failing and self._grant.use(ask, now):
            return 0.0
        if self._may_owe(ask):
            self._debt.add(ask)
            self._start()
            return 0.0
        if self.account.known is not None and self.account.age_seconds < SLOT_SECONDS:
            wait = wait_seconds(self.account.now, now, ask)
            return wait if wait > 0 else None
        return None

    def _spend_alone(self, ask: Ask, *, beside_tokens: float = 0.0) -> float:
        """A call out of the own share, while the ledger is away; it is told of it when it is back.

        Args:
            ask: The call.
            beside_tokens: Of calls that are let go at the same moment.
        """
        wait = self.window.wait_seconds(self.clock.monotonic(), ask.tokens + beside_tokens)
        if wait == 0:
            self._debt.add(ask)
            self._start()
        return wait

    def _may_owe(self, ask: Ask) -> bool:
        known, idle = self.account.known, self._debt.requests == 0
        if known is None or known.failing or self.account.age_seconds > (IDLE_SECONDS if idle else FRESH_SECONDS):
            return False
        state = self.account.now
        owed = self._debt.tokens + ask.tokens
        # What was full a moment ago counts as full: all instances see it become free at the same time.
        used = max(known.utilisation, state.utilisation) + owed / state.tokens_per_minute
        if used < CALM:
            fits = owed <= CALM_DEBT * state.tokens_per_minute
        else:
            fits = used < PLENTY and (owed <= PLENTY_DEBT * state.tokens_per_minute or idle)
        return fits and state.factor_now >= 1 and state.request_room > self._debt.requests

    def _start(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        """Settles debts and serves those who wait, the earliest due first, until there is neither."""
        while self._waiting or self._debt.requests:
            known = self.account.known
            if not self._waiting and known is not None and known.utilisation < CALM:
                await self.clock.sleep(CALM_SECONDS)
            waiting, self._waiting = sorted(self._waiting, key=lambda entry: entry.due_at), []
            try:
                await self._serve(waiting)
            except Unavailable:
                self._lose()
                self._let_go_alone([entry for entry in waiting if not entry.done.done()])
                if self._debt.requests:
                    await self.clock.sleep(OUTAGE_SECONDS)
            except BaseException as fault:
                refuse((entry.done for entry in waiting), fault)
                raise

    def _let_go_alone(self, waiting: list[Waiting]) -> None:
        tokens = 0.0
        for entry in waiting:
            wait = self._spend_alone(entry.ask, beside_tokens=tokens)
            tokens += entry.ask.tokens if wait == 0 else 0.0
            entry.tell(wait)

    async def _serve(self, waiting: list[Waiting]) -> None:
        debt = Spending(self._debt.tokens, self._debt.requests, self._debt.urgent)
        ahead = self._ahead(waiting)
        try:
            taken = await self.account.take([entry.ask for entry in waiting], debt=debt, ahead=ahead)
        except Contended:
            served = [False] * len(waiting)
        else:
            served = taken.served
            self._debt.settled(debt)
            self._regain()
            if taken.ahead:
                until = (self.account.now.slot + 1) * SLOT_SECONDS + GRANT_SECONDS
                self._grant = Grant(ahead.tokens, ahead.requests, until)
        now = self.clock.now()
        for entry, fits in zip(waiting, served, strict=True):
            wait = 0.0 if fits or self.account.known is None else wait_seconds(self.account.now, now, entry.ask)
            entry.tell(0.0 if fits else max(wait, SLOT_SECONDS / 2))

    def _ahead(self, waiting: list[Waiting]) -> Spending:
        """What to acquire beyond what is needed now, so that the next calls need not ask: nothing when it is scarce."""
        known = self.account.known
        if not waiting or known is None or known.utilisation > SCARCE or known.factor_now < 1:
            return NOTHING
        if any(entry.ask.yields for entry in waiting):
            # Only those who need not wait may use it.
            return NOTHING
        if self.clock.now() < self._grant.until and self._grant.tokens > 0:
            return NOTHING
        tokens = self.window.spent(self.clock.monotonic()) / 60 * AHEAD_SECONDS
        return Spending(tokens, GRANT_REQUESTS, tokens) if tokens > 0 else NOTHING

    def _regain(self) -> None:
        if self.degraded:
            self.degraded = False
            log.info("regain_ledger", deployment=self.deployment.name)

    def _lose(self) -> None:
        """The ledger is away: go on with the part of the quota that this instance had of late."""
        self._away_until = self.clock.monotonic() + OUTAGE_SECONDS
        if self.degraded:
            return
        self.degraded = True
        share = self._own_share()
        self.window.limit_tokens = share * self.tokens_per_minute
        self.window.limit_requests = share * self.deployment.requests_per_minute
        log.warning("lose_ledger", deployment=self.deployment.name, share=round(share, 3))

    def _own_share(self) -> float:
        own, known = self.window.spent(self.clock.monotonic()), self.account.known
        if known is None or own <= 0:
            return self.share
        fleet = max(own, known.spent - known.token_marks[-1])
        return own / fleet
