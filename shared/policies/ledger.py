"""The shared account of a deployment's quota: what all instances spent, slot by slot, and what may still be spent.

Time is cut into slots of half a second. `spent` counts every token ever acquired; a mark is its value at the start of
a slot. A call acquired in slot `s` reaches the service within that slot or shortly after, so a window of 60 seconds at
the service holds nothing but calls of the last 61 seconds of slots. Therefore, with `m` the mark 61 seconds back,

    spent + n <= m + limit   admits n tokens,

and no window at the service can hold more than the limit. The price is one part in 61 of the quota under full load.
Requests are policed the same way in slices of 1 and of 10 seconds.
Source: learn.microsoft.com, Azure OpenAI quota management, "understanding rate limits", 2026.
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


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The account of one deployment.

    Attributes:
        slot: Number of the newest slot, counted in half seconds since 1970.
        token_marks: `spent` at the start of the newest slot, of the one before, and so on.
        request_marks: The same for `requests`.
        limit_tokens: Tokens per minute in force.
        limit_requests: Requests per minute.
        cooling_until: The deployment is left alone until then; seconds since 1970.
    """

    slot: int
    spent: float
    requests: int
    token_marks: tuple[float, ...]
    request_marks: tuple[int, ...]
    limit_tokens: float
    limit_requests: float
    cooling_until: float = 0.0

    @property
    def token_ceiling(self) -> float:
        """The highest value `spent` may take in the newest slot."""
        return self.token_marks[TOKEN_SLOTS - 1] + self.limit_tokens

    @property
    def request_ceiling(self) -> float:
        """The highest value `requests` may take in the newest slot."""
        return min(self.request_marks[slots - 1] + _allowed(self.limit_requests, seconds) for seconds, slots in SLICES)

    @property
    def token_room(self) -> float:
        """Tokens that may be acquired in the newest slot."""
        return self.token_ceiling - self.spent

    @property
    def request_room(self) -> int:
        """Requests that may be acquired in the newest slot."""
        return max(0, math.floor(self.request_ceiling - self.requests))

    @property
    def utilisation(self) -> float:
        """Part of the token limit that is taken."""
        return 1 - self.token_room / self.limit_tokens


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
    return replace(
        state,
        slot=slot,
        token_marks=((state.spent,) * steps + state.token_marks)[:TOKEN_SLOTS],
        request_marks=((state.requests,) * steps + state.request_marks)[:REQUEST_SLOTS],
    )


def acquired(state: LedgerState, *, tokens: float, requests: int = 1) -> LedgerState | None:
    """The account after an acquisition in its newest slot, or None when there is no room for it."""
    if tokens > state.token_room or requests > state.request_room:
        return None
    return replace(state, spent=state.spent + tokens, requests=state.requests + requests)


def fitting(state: LedgerState, sizes: Sequence[float]) -> list[bool]:
    """Which of several calls fit together, in order; a small one may use room that a large one before it cannot."""
    room, requests, fits = state.token_room, state.request_room, list[bool]()
    for tokens in sizes:
        fit = tokens <= room and requests >= 1
        fits.append(fit)
        if fit:
            room, requests = room - tokens, requests - 1
    return fits


def wait_seconds(state: LedgerState, now: float, *, tokens: float) -> float:
    """Seconds until a call fits if nobody else spends: 0 when it does now, infinity when it never can."""
    state = advanced(state, slot_of(now))
    if tokens > state.limit_tokens:
        return math.inf
    for later in range(TOKEN_SLOTS + 1):
        future = advanced(state, state.slot + later)
        if tokens <= future.token_room and future.request_room >= 1:
            return 0.0 if later == 0 else max(0.0, future.slot * SLOT_SECONDS - now)
    return math.inf
