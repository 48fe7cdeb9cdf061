"""One deployment's budget as this instance uses it: decided locally, settled with all instances through the ledger.

While the quota is mostly free, calls are spent at once and settled after (post-paid); when it gets scarce, they are
acquired before (pre-paid), many in one operation. The cost at the ledger grows with instances, not with turns.
"""

import asyncio
import dataclasses
import math
from dataclasses import dataclass

from shared.errors import Unavailable
from shared.policies.budget import BudgetWindow
from shared.policies.ledger import SLOT_SECONDS, LedgerState, acquired, advanced, fitting, opened, slot_of, wait_seconds
from shared.ports import Clock, Ledger, LedgerEntry
from shared.settings import Deployment
from shared.telemetry import log

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
TRIES = 5
GRANT_REQUESTS = 4
"""Requests acquired together with tokens for the calls to come."""
AHEAD_SECONDS = 0.5
SCARCE = 0.8
"""Above this utilisation nothing is acquired ahead of need."""


@dataclass(frozen=True, slots=True)
class _Demand:
    """Calls that wait for budget, by size, and what was spent ahead of it."""

    sizes: list[float]
    debt_tokens: float
    debt_requests: int

    @property
    def tokens(self) -> float:
        return sum(self.sizes)


@dataclass(slots=True)
class _Waiting:
    tokens: float
    done: asyncio.Future[float]

    def tell(self, wait: float) -> None:
        """Answers the caller, unless it has given up meanwhile."""
        if not self.done.done():
            self.done.set_result(wait)


class SharedBudget:
    """Budget of one deployment for one instance."""

    def __init__(self, deployment: Deployment, ledger: Ledger, clock: Clock, *, share: float) -> None:
        """Starts without knowledge.

        Args:
            deployment: Whose budget it is.
            ledger: Where all instances settle.
            clock: Time.
            share: Part of the quota to use while the ledger is away and this instance has no history.
        """
        self.deployment, self._ledger, self._clock, self._share = deployment, ledger, clock, share
        self.window = BudgetWindow(
            limit_tokens=deployment.tokens_per_minute, limit_requests=deployment.requests_per_minute
        )
        self._known: LedgerState | None = None
        self._known_at = -math.inf
        self._version: str | None = None
        self._grant_tokens, self._grant_requests, self._grant_until = 0.0, 0, 0.0
        self._debt_tokens, self._debt_requests = 0.0, 0
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None
        self._news: asyncio.Task[None] | None = None
        self._away_until = -math.inf
        self._cut = (math.inf, -math.inf)
        self.degraded = False

    @property
    def limit_tokens(self) -> float:
        """Tokens per minute in force for the whole fleet."""
        return float(self.deployment.tokens_per_minute) if self._known is None else self._known.limit_tokens

    @property
    def utilisation(self) -> float | None:
        """Part of the quota that the fleet has in use, as last known; None when nothing is known."""
        if self._known is None:
            return None
        return round(advanced(self._known, slot_of(self._clock.now())).utilisation, 4)

    async def close(self) -> None:
        """Stops settling; what is owed then is a fraction of a second's worth."""
        tasks = [task for task in (self._work, self._news) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def cooling_seconds(self) -> float:
        """How long the deployment is still to be left alone."""
        return 0.0 if self._known is None else max(0.0, self._known.cooling_until - self._clock.now())

    def outlook(self, tokens: float) -> float:
        """Seconds until a call of `tokens` would fit, as far as is known here; nothing is spent."""
        if self.degraded:
            return self.window.wait_seconds(self._clock.monotonic(), tokens)
        if self._known is None:
            return 0.0
        return max(self.cooling_seconds, wait_seconds(self._known, self._clock.now(), tokens=tokens))

    async def acquire(self, tokens: float) -> float:
        """Spends a call of `tokens` and returns 0, or returns the seconds until it may be tried again."""
        wait = self._spend_locally(tokens)
        if wait is None:
            waiting = _Waiting(tokens, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            self._start()
            wait = await waiting.done
        if wait == 0:
            self.window.spend(self._clock.monotonic(), tokens)
        return wait

    def cool(self, seconds: float, *, limit_tokens: float | None = None) -> None:
        """Leaves the deployment alone here at once, and on every instance when it next looks; learns a lower limit."""
        until = self._clock.now() + seconds
        if limit_tokens is not None:
            self._cut = (limit_tokens, until + CUT_SECONDS)
        state = self._known or self._opened()
        self._known = self._in_force(dataclasses.replace(state, cooling_until=max(state.cooling_until, until)))
        if self._news is None or self._news.done():
            self._news = asyncio.create_task(self._tell(until))

    async def _tell(self, until: float) -> None:
        try:
            entry = await self._ledger.cool(self.deployment.name, until)
        except Unavailable:
            self._lose()
            return
        if entry is not None:
            self._learn(entry)

    def _spend_locally(self, tokens: float) -> float | None:
        """0 when the call is spent, a wait when it cannot be, None when the ledger has to be asked."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if monotonic < self._away_until:
            return self.window.wait_seconds(monotonic, tokens)
        if self.cooling_seconds > 0:
            return self.cooling_seconds
        if now < self._grant_until and tokens <= self._grant_tokens and self._grant_requests >= 1:
            self._grant_tokens -= tokens
            self._grant_requests -= 1
            return 0.0
        if self._may_owe(tokens, now, monotonic):
            self._debt_tokens += tokens
            self._debt_requests += 1
            self._start()
            return 0.0
        if self._known is not None and monotonic - self._known_at < SLOT_SECONDS:
            wait = wait_seconds(self._known, now, tokens=tokens)
            return wait if wait > 0 else None
        return None

    def _may_owe(self, tokens: float, now: float, monotonic: float) -> bool:
        if self._known is None:
            return False
        age = monotonic - self._known_at
        if age > (IDLE_SECONDS if self._debt_requests == 0 else FRESH_SECONDS):
            return False
        state = advanced(self._known, slot_of(now))
        # What was full a moment ago counts as full: all instances see it become free at the same time.
        used = max(self._known.utilisation, state.utilisation) + (self._debt_tokens + tokens) / state.limit_tokens
        owed = self._debt_tokens + tokens
        if used < CALM:
            fits = owed <= CALM_DEBT * state.limit_tokens
        else:
            fits = used < PLENTY and (owed <= PLENTY_DEBT * state.limit_tokens or self._debt_requests == 0)
        return fits and state.request_room > self._debt_requests

    def _start(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._settle())

    def _is_calm(self) -> bool:
        return self._known is not None and self._known.utilisation < CALM

    async def _settle(self) -> None:
        """Settles debts and serves those who wait, in order, until there is neither."""
        while self._waiting or self._debt_requests:
            if not self._waiting and self._is_calm():
                await self._clock.sleep(CALM_SECONDS)
            waiting, self._waiting = self._waiting, []
            try:
                await self._serve(waiting)
            except Unavailable:
                self._lose()
                monotonic = self._clock.monotonic()
                for entry in waiting:
                    entry.tell(self.window.wait_seconds(monotonic, entry.tokens))
                if self._debt_requests:
                    await self._clock.sleep(OUTAGE_SECONDS)
            except BaseException as fault:
                for entry in waiting:
                    if not entry.done.done():
                        entry.done.set_exception(fault if isinstance(fault, Exception) else Unavailable())
                raise

    async def _serve(self, waiting: list[_Waiting]) -> None:
        demand = _Demand([entry.tokens for entry in waiting], self._debt_tokens, self._debt_requests)
        ahead = self._ahead() if waiting else 0.0
        served = await self._take(demand, ahead)
        if served is not None:
            self._debt_tokens -= demand.debt_tokens
            self._debt_requests -= demand.debt_requests
        now = self._clock.now()
        for entry, fits in zip(waiting, served or [False] * len(waiting), strict=True):
            wait = 0.0 if fits or self._known is None else wait_seconds(self._known, now, tokens=entry.tokens)
            entry.tell(0.0 if fits else max(wait, SLOT_SECONDS / 2))

    def _ahead(self) -> float:
        """Tokens to acquire beyond what is needed now, so that the next calls need not ask: none when it is scarce."""
        if self._known is None or self._known.utilisation > SCARCE:
            return 0.0
        if self._clock.now() < self._grant_until and self._grant_tokens > 0:
            return 0.0
        return self.window.spent(self._clock.monotonic()) / 60 * AHEAD_SECONDS

    async def _take(self, demand: "_Demand", ahead: float) -> list[bool] | None:
        """Acquires what there is room for, and settles debts whatever the room.

        Returns:
            Which calls were served, or None when others were quicker every time and nothing was settled.
        """
        for _ in range(TRIES):
            slot = slot_of(self._clock.now())
            known = self._known
            if known is not None and known.slot == slot and self._version is not None:
                extra = GRANT_REQUESTS if ahead else 0
                entry = await self._ledger.take(
                    self.deployment.name,
                    slot=slot,
                    tokens=demand.tokens + ahead + demand.debt_tokens,
                    requests=len(demand.sizes) + extra + demand.debt_requests,
                    token_ceiling=known.token_ceiling,
                    request_ceiling=known.request_ceiling,
                )
                if entry is not None:
                    self._learn(entry)
                    self._grant(slot, ahead, extra)
                    return [True] * len(demand.sizes)
            served = await self._advance(slot, demand)
            if served is not None:
                return served
        return None

    async def _advance(self, slot: int, demand: "_Demand") -> list[bool] | None:
        """Moves the account to the slot and takes what fits, in one write; None when another was quicker."""
        found = await self._ledger.read(self.deployment.name)
        stored = self._opened() if found is None else self._in_force(_state(found, self.deployment))
        state = advanced(stored, slot)
        state = dataclasses.replace(
            state, spent=state.spent + demand.debt_tokens, requests=state.requests + demand.debt_requests
        )
        served = fitting(state, demand.sizes)
        sizes = [tokens for tokens, fits in zip(demand.sizes, served, strict=True) if fits]
        if found is not None and not sizes and not demand.debt_requests:
            self._learn(found)
            return served
        after = acquired(state, tokens=sum(sizes), requests=len(sizes)) if sizes else state
        version = None if found is None else found.version
        entry = await self._ledger.write(self.deployment.name, dataclasses.asdict(after or state), version=version)
        if entry is None:
            return None
        self._learn(entry)
        return served

    def _grant(self, slot: int, tokens: float, requests: int) -> None:
        self._grant_tokens, self._grant_requests = tokens, requests
        self._grant_until = (slot + 1) * SLOT_SECONDS + GRANT_SECONDS

    def _opened(self) -> LedgerState:
        return opened(
            slot_of(self._clock.now()),
            limit_tokens=self.deployment.tokens_per_minute,
            limit_requests=self.deployment.requests_per_minute,
        )

    def _learn(self, entry: LedgerEntry) -> None:
        self._known, self._version = self._in_force(_state(entry, self.deployment)), entry.version
        self._known_at = self._clock.monotonic()
        if self.degraded:
            self.degraded = False
            log.info("regain_ledger", deployment=self.deployment.name)

    def _in_force(self, state: LedgerState) -> LedgerState:
        """The account under a cut of the quota that the service named, for as long as that is believed."""
        limit, until = self._cut
        if self._clock.now() >= until:
            return state
        return dataclasses.replace(state, limit_tokens=min(state.limit_tokens, limit))

    def _lose(self) -> None:
        """The ledger is away: go on with the part of the quota that this instance had of late."""
        self._away_until = self._clock.monotonic() + OUTAGE_SECONDS
        if self.degraded:
            return
        self.degraded = True
        share = self._own_share()
        self.window.limit_tokens = share * self.limit_tokens
        self.window.limit_requests = share * self.deployment.requests_per_minute
        log.warning("lose_ledger", deployment=self.deployment.name, share=round(share, 3))

    def _own_share(self) -> float:
        own = self.window.spent(self._clock.monotonic())
        if self._known is None or own <= 0:
            return self._share
        fleet = max(own, self._known.spent - self._known.token_marks[-1])
        return own / fleet


def _state(entry: LedgerEntry, deployment: Deployment) -> LedgerState:
    """The stored account under the limits of the settings, which may have changed since it was written."""
    values = dict(entry.account)
    values["token_marks"], values["request_marks"] = tuple(values["token_marks"]), tuple(values["request_marks"])
    state = LedgerState(**values)
    return dataclasses.replace(
        state,
        limit_tokens=deployment.tokens_per_minute,
        limit_requests=deployment.requests_per_minute,
    )
