"""The shared account of a deployment's quota: what all instances spent, slot by slot, and what may still be spent.

Time is cut into slots of half a second. `spent` counts every token ever acquired; a mark is its value at the start of
a slot. A call acquired in slot `s` reaches the service within that slot or shortly after, so a window of 60 seconds at
the service holds nothing but calls of the last 61 seconds of slots. Therefore, with `m` the mark 61 seconds back,

    spent + n <= m + limit   admits n tokens,

and no window at the service can hold more than the limit. The price is one part in 61 of the quota under full load.
Requests are policed the same way in slices of 1 and of 10 seconds.
Source: learn.microsoft.com, Azure OpenAI quota management, "understanding rate limits", 2026.

Below that ceiling three things hold some callers back:

- what a caller *keeps* free: whoever waits in line, or is of a lower lane, leaves room for those who need not wait;
- the *claim*: room that a large call has waited for long enough, so that small ones no longer use it up;
- the *ramp*: after an overload, the pace of the first seconds;
- the *probe*: of a deployment that fails everybody only one call at a time is acquired, see `outage`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

SLOT_SECONDS = 0.5
ARRIVAL_SECONDS = 0.5
"""How long a call may need from being acquired to being counted at the service."""


def _slots(window_seconds: float) -> int:
    return math.ceil((window_seconds + ARRIVAL_SECONDS) / SLOT_SECONDS) + 1


TOKEN_SLOTS = _slots(60)
SLICES = ((1.0, _slots(1)), (10.0, _slots(10)))
REQUEST_SLOTS = SLICES[-1][1]
RECENT_SLOTS = 20
"""Slots over which the pace of those who need not wait is measured."""

CUT, LEAST_FACTOR, RAMP_PER_SECOND = 0.5, 1 / 16, 0.15
"""An overload halves the pace, down to a sixteenth; from half it is back in 3.3 seconds."""
CLAIM_SECONDS = 5.0
"""How long a claim holds after the time that it is for."""
PROBE_SECONDS = 3.0
"""How long the fleet waits for a probe; then another may be made."""
RAMP_BURST = 4.0
"""Times the even pace that a deployment at full factor takes in a second; less while the factor is below 1."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The account of one deployment.

    Attributes:
        slot: Number of the newest slot, counted in half seconds since 1970.
        token_marks: `spent` at the start of the newest slot, of the one before, and so on.
        request_marks: The same for `requests`.
        left_tokens: The token mark that the newest slot dropped.
        left_requests: The request mark that it dropped.
        limit_tokens: Tokens per minute that the deployment is set up with.
        limit_requests: Requests per minute.
        cooling_until: The deployment is left alone until then; seconds since 1970.
        urgent: Part of `spent` by calls of the first lane that stood in no line.
        urgent_mark: `urgent` at the start of the present step of ten seconds.
        urgent_before: `urgent` at the start of the step before.
        epoch: Counts the overloads that cut the pace; a call made in an older epoch cannot cut it again.
        factor: Part of the pace in force at `factor_at`; it grows back with time.
        cut_tokens: Tokens per minute that the service named as the limit, below `limit_tokens`; until `cut_until`.
        claim_tokens: Room kept for a large call that has waited long, until `claim_until`.
        claim_by: Whose call that is.
        failing: The deployment fails everybody; after `cooling_until` one call at a time asks whether it is back.
        faults: So many were told since `faults_at`.
        faults_at: Seconds since 1970.
    """

    slot: int
    spent: float
    requests: int
    token_marks: tuple[float, ...]
    request_marks: tuple[int, ...]
    limit_tokens: float
    limit_requests: float
    left_tokens: float = 0.0
    left_requests: int = 0
    cooling_until: float = 0.0
    urgent: float = 0.0
    urgent_mark: float = 0.0
    urgent_before: float = 0.0
    epoch: int = 0
    factor: float = 1.0
    factor_at: float = 0.0
    cut_tokens: float = 0.0
    cut_until: float = 0.0
    claim_tokens: float = 0.0
    claim_until: float = 0.0
    claim_by: str = ""
    failing: bool = False
    faults: int = 0
    faults_at: float = 0.0

    @property
    def at(self) -> float:
        """Start of the newest slot; seconds since 1970."""
        return self.slot * SLOT_SECONDS

    @property
    def tokens_per_minute(self) -> float:
        """The limit in force."""
        return min(self.limit_tokens, self.cut_tokens) if self.at < self.cut_until else self.limit_tokens

    @property
    def factor_now(self) -> float:
        """Part of the pace in force: 1 when the last overload is long ago."""
        return min(1.0, self.factor + RAMP_PER_SECOND * max(0.0, self.at - self.factor_at))

    @property
    def token_ceiling(self) -> float:
        """The highest value `spent` may take in the newest slot by the service's own rule."""
        return self.token_marks[TOKEN_SLOTS - 1] + self.tokens_per_minute

    @property
    def request_ceiling(self) -> float:
        """The highest value `requests` may take in the newest slot."""
        return min(self.request_marks[slots - 1] + _allowed(self.limit_requests, seconds) for seconds, slots in SLICES)

    @property
    def token_room(self) -> float:
        """Tokens that may be acquired in the newest slot by the service's own rule."""
        return self.token_ceiling - self.spent

    @property
    def fresh_tokens(self) -> float:
        """How much of the room came with the newest slot."""
        return min(max(0.0, self.token_marks[-1] - self.left_tokens), max(0.0, self.token_room))

    @property
    def fresh_requests(self) -> int:
        """How much of the room for requests came with the newest slot."""
        marks = (*self.request_marks, self.left_requests)
        before = min(marks[slots] + _allowed(self.limit_requests, seconds) for seconds, slots in SLICES)
        return min(self.request_room, max(0, math.floor(self.request_ceiling - before)))

    @property
    def request_room(self) -> int:
        """Requests that may be acquired in the newest slot."""
        return max(0, math.floor(self.request_ceiling - self.requests))

    def requests_by(self, later: int) -> int:
        """Requests that can be acquired by so many slots after the newest, if all are acquired as they come."""
        return max(0, min(self._slice_room(later, seconds, slots) for seconds, slots in SLICES))

    def _slice_room(self, later: int, seconds: float, slots: int) -> int:
        rounds, slot = divmod(later, slots)
        return (
            self.request_marks[slots - 1 - slot] + (1 + rounds) * _allowed(self.limit_requests, seconds) - self.requests
        )

    @property
    def requests_per_second(self) -> float:
        """The even pace at which requests can be acquired, which is under the limit for what may arrive together."""
        return min(_allowed(self.limit_requests, seconds) / (slots * SLOT_SECONDS) for seconds, slots in SLICES)

    @property
    def requests_together(self) -> int:
        """The most requests that can be acquired together."""
        return min(_allowed(self.limit_requests, seconds) for seconds, _ in SLICES)

    @property
    def utilisation(self) -> float:
        """Part of the token limit that is taken."""
        return 1 - self.token_room / self.tokens_per_minute

    @property
    def urgent_per_second(self) -> float:
        """Tokens a second that calls of the first lane took of late without standing in line."""
        seconds = RECENT_SLOTS * SLOT_SECONDS / 2 + (self.slot % RECENT_SLOTS) * SLOT_SECONDS
        recent = self.urgent - self.urgent_mark + (self.urgent_mark - self.urgent_before) / 2
        return recent / seconds

    @property
    def call_tokens(self) -> float:
        """Size of the calls of the last ten seconds; 0 when there were none."""
        calls = self.requests - self.request_marks[-1]
        return (self.spent - self.token_marks[REQUEST_SLOTS - 1]) / calls if calls > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """What a caller wants to acquire.

    Attributes:
        tokens: The estimate.
        yields: The caller stood in line, or is of a lower lane; it leaves a claim alone.
        kept: Room that it leaves free.
        kept_requests: Requests that it leaves free.
        owner: Who asks, so that a claim is known as its own.
    """

    tokens: float
    yields: bool = False
    kept: float = 0.0
    owner: str = ""
    kept_requests: int = 0


def _allowed(limit_requests: float, seconds: float) -> int:
    return max(1, math.ceil(limit_requests * seconds / 60))


def slot_of(now: float) -> int:
    """The slot of a moment in seconds since 1970."""
    return math.floor(now / SLOT_SECONDS)


def opened(slot: int, *, limit_tokens: float, limit_requests: float) -> LedgerState:
    """An account on which nothing was spent yet."""
    return LedgerState(slot, 0.0, 0, (0.0,) * TOKEN_SLOTS, (0,) * REQUEST_SLOTS, limit_tokens, limit_requests)


def advanced(state: LedgerState, slot: int) -> LedgerState:
    """The account in a later slot; slots in between spent nothing. An earlier slot changes nothing."""
    steps = slot - state.slot
    if steps <= 0:
        return state
    marks = (state.spent,) * min(steps, TOKEN_SLOTS + 1) + state.token_marks
    requests = (state.requests,) * min(steps, REQUEST_SLOTS + 1) + state.request_marks
    turned = slot // RECENT_SLOTS - state.slot // RECENT_SLOTS
    return replace(
        state,
        slot=slot,
        token_marks=marks[:TOKEN_SLOTS],
        left_tokens=marks[TOKEN_SLOTS],
        request_marks=requests[:REQUEST_SLOTS],
        left_requests=requests[REQUEST_SLOTS],
        urgent_mark=state.urgent if turned else state.urgent_mark,
        urgent_before=state.urgent_before if not turned else state.urgent_mark if turned == 1 else state.urgent,
    )


def ceiling(state: LedgerState, ask: Ask) -> float:
    """The highest value `spent` may take in the newest slot when this call is acquired."""
    highest = state.token_ceiling - _kept(state, ask)
    factor = state.factor_now
    if factor < 1:
        burst = factor * RAMP_BURST * state.tokens_per_minute / 60
        highest = min(highest, state.token_marks[1] + max(burst, ask.tokens))
    return highest


def _kept(state: LedgerState, ask: Ask) -> float:
    """Room that this caller leaves to others."""
    if state.at >= state.claim_until:
        return ask.kept
    if ask.owner == state.claim_by:
        return 0.0
    return ask.kept + (_claimed_room(state) if ask.yields else 0.0)


def _claimed_room(state: LedgerState) -> float:
    """What the claim needs of today's room: what will not have come back by the time it is for."""
    later = slot_of(state.claim_until - CLAIM_SECONDS) - state.slot
    then = state.token_marks[TOKEN_SLOTS - 1 - min(max(0, later), TOKEN_SLOTS - 1)]
    return max(0.0, state.claim_tokens - (then - state.token_marks[-1]))


def fits(state: LedgerState, ask: Ask) -> bool:
    """There is room for the call in the account's newest slot."""
    if state.spent + ask.tokens > ceiling(state, ask) or state.request_room < 1 + ask.kept_requests:
        return False
    return not state.failing or state.at >= state.cooling_until


def acquired(state: LedgerState, ask: Ask) -> LedgerState | None:
    """The account after an acquisition in its newest slot, or None when there is no room for it."""
    if not fits(state, ask):
        return None
    if state.failing:
        state = replace(state, cooling_until=state.at + PROBE_SECONDS)
    after = spent(state, tokens=ask.tokens, requests=1, urgent=0.0 if ask.yields else ask.tokens)
    return claim_used(after) if after.claim_by and after.claim_by == ask.owner else after


def spent(state: LedgerState, *, tokens: float, requests: int, urgent: float) -> LedgerState:
    """The account after tokens were spent, whatever the room."""
    return replace(
        state,
        spent=state.spent + tokens,
        requests=state.requests + requests,
        urgent=state.urgent + urgent,
    )


def fitting(state: LedgerState, asks: Sequence[Ask]) -> list[bool]:
    """Which of several calls fit together, in order; a small one may use room that a large one before it cannot."""
    taken = list[bool]()
    for ask in asks:
        after = acquired(state, ask)
        taken.append(after is not None)
        state = after or state
    return taken


def wait_seconds(state: LedgerState, now: float, ask: Ask) -> float:
    """Seconds until a call fits if nobody else spends: 0 when it does now, infinity when it never can."""
    state = advanced(state, slot_of(now))
    if ask.tokens > state.tokens_per_minute:
        return math.inf if ask.tokens > state.limit_tokens else max(SLOT_SECONDS, state.cut_until - now)
    if fits(state, ask):
        return 0.0
    cooling = math.ceil(state.cooling_until / SLOT_SECONDS) - state.slot if state.failing else 1
    slots = max(_token_slots(state, ask), _request_slots(state, 1 + ask.kept_requests), cooling, 1)
    return max(0.0, (state.slot + slots) * SLOT_SECONDS - now)


def _token_slots(state: LedgerState, ask: Ask) -> int:
    """Slots until enough of what was spent has left the window."""
    needed = state.spent + ask.tokens + _kept(state, ask) - state.tokens_per_minute
    marks = reversed(state.token_marks)
    return next((later for later, mark in enumerate(marks) if mark >= needed), TOKEN_SLOTS)


def _request_slots(state: LedgerState, requests: int) -> int:
    """Slots until so many more requests fit into every slice."""
    return max(
        next(
            (
                later
                for later, mark in enumerate(reversed(state.request_marks[:slots]))
                if mark + _allowed(state.limit_requests, seconds) >= state.requests + requests
            ),
            slots,
        )
        for seconds, slots in SLICES
    )


def overloaded(state: LedgerState, *, epoch: int, until: float) -> LedgerState:
    """The account after an overload: left alone until then, and slower after it. It is there, so it fails no longer.

    Args:
        state: The account.
        epoch: The epoch in which the call was made; of the calls of one epoch only the first cuts the pace.
        until: Seconds since 1970.
    """
    cooling = until if state.failing else max(state.cooling_until, until)
    state = replace(state, failing=False) if state.failing else state
    if epoch != state.epoch:
        return replace(state, cooling_until=cooling, factor_at=max(state.factor_at, cooling))
    factor = max(LEAST_FACTOR, state.factor_now * CUT)
    return replace(state, epoch=epoch + 1, cooling_until=cooling, factor=factor, factor_at=cooling)


def limited(state: LedgerState, *, tokens_per_minute: float, until: float) -> LedgerState:
    """The account after the service named its limit: a lower one is believed until then, the full one ends a cut."""
    if tokens_per_minute >= state.limit_tokens:
        return replace(state, cut_tokens=0.0, cut_until=0.0)
    return replace(state, cut_tokens=tokens_per_minute, cut_until=max(state.cut_until, until))


def claimed(state: LedgerState, *, tokens: float, at: float, owner: str) -> LedgerState | None:
    """The account with room kept for a call that comes at that moment, or None when another's claim is in force.

    Until then others may use what will be back in time.
    Source: backfilling with a reservation for the head, Lifka, JSSPP 1995 (EASY).
    """
    if state.at < state.claim_until and state.claim_by != owner:
        return None
    return replace(state, claim_tokens=tokens, claim_until=at + CLAIM_SECONDS, claim_by=owner)


def claim_used(state: LedgerState) -> LedgerState:
    """The account after whoever had the claim went, or gave up."""
    return replace(state, claim_tokens=0.0, claim_until=0.0, claim_by="")
