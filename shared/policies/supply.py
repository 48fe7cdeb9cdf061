"""What the deployments of a pool give to those who wait in line, and when.

The line may have as many tokens under way as the pool has room for it:

    poured - spent <= sum of the rooms - reserve

with `poured` what came to the line and `spent` what its turns acquired so far. What a turn does not acquire within
moments (it was cancelled, or smaller than estimated) is poured again. When more room comes is known exactly for the
next minute: the accounts say which tokens leave the window when.
"""

import bisect
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from shared.policies.ledger import SLICES, SLOT_SECONDS, TOKEN_SLOTS, LedgerState
from shared.policies.line import Line, poured

MOST_OUTSIDE = 0.5
"""Part of the quota that calls outside the line are expected to take; more of them would have to join it."""
WINDOW_SECONDS = TOKEN_SLOTS * SLOT_SECONDS
SHORTEST_SLICE_SECONDS = min(slots for _, slots in SLICES) * SLOT_SECONDS
FULL = 0.5
"""With less than this part of the quota in use, what comes in this window says nothing of the next."""
SETTLED_SECONDS = 0.5
"""What was poured this long ago and is not spent found nobody."""
IDLE_SECONDS = 2.0
"""After so long without a call the line is stuck."""
RESERVE_SPREAD = 2.0
MOST_RESERVE, MOST_RESERVE_REQUESTS = 0.6, 0.5
"""The reserve covers two standard deviations of what comes and goes in a window, up to so much of the limit."""

Accounts = Mapping[str, LedgerState]


@dataclass(frozen=True, slots=True)
class Supply:
    """What will come to the line, if the calls outside it go on as of late.

    Attributes:
        began_at: The present slot's start; seconds since 1970.
        at: When this was worked out.
        coming: Tokens that will have come in the present slot, in the next, and so on; those of a slot come evenly.
        pace: Tokens a second after that.
    """

    began_at: float
    at: float
    coming: tuple[float, ...]
    pace: float

    def seconds_until(self, now: float, tokens: float) -> float:
        """Until that many tokens have come: 0 when they have, infinity when they never will."""
        if tokens <= 0:
            return 0.0
        whole, last = self.coming[-1], self.began_at + (len(self.coming) - 1) * SLOT_SECONDS
        if tokens <= whole:
            return max(0.0, self._moment(tokens) - now)
        if whole >= FULL * self.pace * WINDOW_SECONDS > 0:
            # What is spent when it comes, comes again a window later.
            windows = math.ceil(tokens / whole) - 1
            return max(0.0, windows * WINDOW_SECONDS + self._moment(tokens - windows * whole) - now)
        if self.pace <= 0:
            return math.inf
        return max(0.0, last + (tokens - whole) / self.pace - now)

    def _moment(self, tokens: float) -> float:
        """When so many of the tokens of the first window have come."""
        slot = bisect.bisect_left(self.coming, tokens)
        if slot == 0:
            return self.at + tokens / self.coming[0] * (self.began_at + SLOT_SECONDS - self.at)
        before = self.coming[slot - 1]
        return self.began_at + (slot + (tokens - before) / (self.coming[slot] - before)) * SLOT_SECONDS


def reserve_tokens(accounts: Collection[LedgerState], *, strangers: float) -> float:
    """Room that a pool keeps for calls of the first lane that come without having to wait.

    Of `u` tokens a minute in calls of `m`, both what comes and what leaves the window vary by sqrt(u m), so the room
    they need beyond the mean varies by sqrt(2 u m). When less leaves the window for a while than they take, they need
    the difference too.

    Args:
        accounts: Of the pool's deployments.
        strangers: Part of those calls that is to find room: 1 for all, less when some are of tenants who wait
            themselves.
    """
    pace: float = strangers * sum(state.urgent_per_second for state in accounts)
    if pace <= 0:
        return 0.0
    usual: float = strangers * sum(state.urgent_per_second * state.call_tokens for state in accounts) / pace
    marks = [sum(column) for column in zip(*(state.token_marks for state in accounts), strict=True)]
    step = pace * SLOT_SECONDS
    lacking: float = max([step * later - mark for later, mark in enumerate(reversed(marks))]) + marks[-1]
    spread = RESERVE_SPREAD * math.sqrt(2 * pace * 60 * usual)
    limit = sum(state.tokens_per_minute for state in accounts)
    return min(spread + lacking, MOST_RESERVE * limit)


def reserve_requests(accounts: Collection[LedgerState], *, strangers: float) -> int:
    """Requests that a pool keeps for the same calls: those that usually come in the shortest slice, and two deviations.

    Args:
        accounts: Of the pool's deployments.
        strangers: See `reserve_tokens`.
    """
    calls = sum(state.urgent_per_second / state.call_tokens for state in accounts if state.call_tokens > 0)
    usual = strangers * calls * SHORTEST_SLICE_SECONDS
    if usual <= 0:
        return 0
    most = MOST_RESERVE_REQUESTS * sum(state.requests_together for state in accounts)
    return math.floor(min(usual + RESERVE_SPREAD * math.sqrt(usual), most))


def room_tokens(line: Line, accounts: Accounts, now: float, *, strangers: float) -> float:
    """What the line may have under way: the rooms of the deployments that take calls now, less the reserve.

    Requests are counted as so many tokens as turns of the line usually have. What came with the present slot comes to
    the line evenly over the slot: then its turns start one after another on all instances, and not all at once.

    Args:
        line: The line.
        accounts: Of those deployments, at this moment.
        now: Seconds since 1970.
        strangers: See `reserve_tokens`.
    """
    states = accounts.values()
    to_come = 1 - (now / SLOT_SECONDS - math.floor(now / SLOT_SECONDS))
    tokens = [max(0.0, state.token_room) - to_come * state.fresh_tokens for state in states]
    requests = [state.request_room - to_come * state.fresh_requests for state in states]
    takes = _takes_now(line, tokens, requests)
    spare = sum(requests) - reserve_requests(states, strangers=strangers)
    takes = min(takes, _worth(line, spare, otherwise=math.inf))
    return max(0.0, min(takes, sum(tokens) - reserve_tokens(states, strangers=strangers)))


def line_spent(accounts: Accounts) -> float:
    """Tokens that turns of the line acquired in all; those that yield without a ticket count among them."""
    return sum(state.spent - state.urgent for state in accounts.values())


def fed(line: Line, accounts: Accounts, open_accounts: Accounts, now: float, *, strangers: float = 1.0) -> Line:
    """The line after it was given what has come since it was last fed.

    Args:
        line: The line.
        accounts: Of all deployments of the pool, by name, at this moment.
        open_accounts: Of those that take calls now.
        now: Seconds since 1970.
        strangers: See `reserve_tokens`.
    """
    spent = line_spent(accounts)
    if not line.flows:
        return replace(line, poured=spent, poured_before=spent, stepped_at=now)
    if now - line.stepped_at >= SETTLED_SECONDS:
        line = _settled(line, spent, now)
    return poured(line, max(0.0, room_tokens(line, open_accounts, now, strangers=strangers) - (line.poured - spent)))


def _settled(line: Line, spent: float, now: float) -> Line:
    """The line after what was poured some time ago and found nobody is taken back, so that it is poured again.

    The turn that is reached in part cannot spend yet; but when nothing moves, it is too large for the room there is,
    and those behind it are to be reached.
    """
    if spent != line.spent_before:
        line = replace(line, spent_before=spent, spent_at=now)
    idle = now - line.spent_at >= IDLE_SECONDS
    kept = line.poured - max(0.0, line.poured_before - spent - (0.0 if idle else line.usual_tokens))
    return replace(line, poured=kept, poured_before=kept, stepped_at=now, spent_at=now if idle else line.spent_at)


def supply(line: Line, accounts: Accounts, now: float, *, strangers: float = 1.0) -> Supply:
    """What will come to the line from now on.

    Args:
        line: The line, as it was last fed.
        accounts: Of all deployments of the pool, by name; those that cool are counted from when they are back.
        now: Seconds since 1970.
        strangers: See `reserve_tokens`.
    """
    began_at = math.floor(now / SLOT_SECONDS) * SLOT_SECONDS
    rooms, takes, pace, outside = [(0.0,) * TOKEN_SLOTS], [(0.0,) * TOKEN_SLOTS], 0.0, 0.0
    less = _worth(line, reserve_requests(accounts.values(), strangers=strangers), otherwise=0.0)
    for state in accounts.values():
        whole = min(state.tokens_per_minute / 60, _worth(line, state.requests_per_second, otherwise=math.inf))
        taken = min(strangers * state.urgent_per_second, MOST_OUTSIDE * whole)
        pace, outside = pace + whole - taken, outside + taken
        rooms.append(_rooms(state, began_at))
        takes.append(_takes(line, state, rooms[-1]))
    under_way = line.poured - line_spent(accounts)
    reserve, step = reserve_tokens(accounts.values(), strangers=strangers), outside * SLOT_SECONDS
    columns = zip(zip(*rooms, strict=True), zip(*takes, strict=True), strict=True)
    left = (
        min(sum(room) - reserve - step * later, max(0.0, sum(take) - less)) - under_way
        for later, (room, take) in enumerate(columns)
    )
    return Supply(began_at, now, tuple(accumulate(left, max, initial=0.0))[1:], pace)


def _worth(line: Line, requests: float, *, otherwise: float) -> float:
    """Tokens that so many turns of the line usually have; `otherwise` while nobody has joined."""
    return line.usual_tokens * requests if line.usual_tokens else otherwise


def _takes_now(line: Line, tokens: Sequence[float], requests: Sequence[float]) -> float:
    """What deployments take: whole calls of the usual size, and what is left over at one of them.

    What is left over at several is of no use together.
    """
    if not line.usual_tokens:
        return sum(tokens)
    takes = [min(room, line.usual_tokens * calls) for room, calls in zip(tokens, requests, strict=True)]
    left_over = [take % line.usual_tokens for take in takes]
    return sum(takes) - sum(left_over) + max(left_over, default=0.0)


def _rooms(state: LedgerState, began_at: float) -> tuple[float, ...]:
    """A deployment's room, slot by slot, if nobody spends any more; none before it has cooled."""
    back = min(TOKEN_SLOTS, max(0, math.ceil((state.cooling_until - began_at) / SLOT_SECONDS)))
    base = state.tokens_per_minute - state.spent
    return (0.0,) * back + tuple(max(0.0, mark + base) for mark in reversed(state.token_marks))[back:]


def _takes(line: Line, state: LedgerState, rooms: tuple[float, ...]) -> tuple[float, ...]:
    """What of these rooms its requests allow to take by then, each worth a usual turn."""
    return tuple(
        min(room, _worth(line, state.requests_by(later), otherwise=math.inf)) for later, room in enumerate(rooms)
    )
