"""The line of a pool: who waits for its tokens, and in what order they are reached.

The turns of one tenant in one lane form a *flow*, first come first served. The tokens that the pool gives are poured
over the flows as a fluid would be: the highest lane first, with a floor for each lower one, and inside a lane in equal
parts for its tenants. A turn holds a *ticket*, a stretch of its flow; it is due when the fluid has reached it. So order
inside a flow holds, no lane starves, one tenant's crowd moves no other tenant back, and the whole line is a few numbers
a flow, however many turns wait. When tokens come is not decided here, see `shared.policies.supply`.
Source: generalized processor sharing, Parekh and Gallager, IEEE/ACM Transactions on Networking 1(3), 1993.
"""

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

FLOORS = (0.0, 0.1, 0.05)
"""Part of all tokens that a lane gets while a higher one waits too; by rank, the highest lane first."""
MAX_FLOWS = 64
"""Flows a lane keeps apart; further tenants share them, chosen by hash (stochastic fair queueing, McKenney 1990)."""
SMOOTHING = 0.1
NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Flow:
    """The waiting turns of one tenant in one lane.

    Attributes:
        rank: The lane's: 0 for the highest.
        key: The tenant, or the one whose flow it shares.
        number: Tells this flow from an earlier one of the same tenant.
        booked: Tokens ever booked in the flow.
        served: How many of them the fluid has reached.
    """

    rank: int
    key: str
    number: int
    booked: float
    served: float

    @property
    def waiting(self) -> float:
        """Tokens that the fluid has still to reach."""
        return self.booked - self.served


@dataclass(frozen=True, slots=True)
class Ticket:
    """A turn's place: the tokens from `begin` to `begin + tokens` of a flow."""

    rank: int
    key: str
    number: int
    begin: float
    tokens: float


@dataclass(frozen=True, slots=True)
class Line:
    """All flows of a pool that have something waiting.

    Attributes:
        flows: In no particular order.
        opened: How many flows were ever opened.
        poured: Tokens that came to the line in all.
        poured_before: The same at `stepped_at`.
        stepped_at: When `poured_before` was noted; seconds since 1970.
        spent_before: What turns of the line had acquired at `spent_at`, when they last acquired some.
        spent_at: Seconds since 1970.
        promised_until: The latest moment that a refused caller was told to come back at; seconds since 1970.
        called_at: When an instance last called sleepers forward; seconds since 1970.
        usual_tokens: Size of the turns that joined of late; 0 before the first.
    """

    flows: tuple[Flow, ...] = ()
    opened: int = 0
    poured: float = 0.0
    poured_before: float = 0.0
    stepped_at: float = 0.0
    spent_before: float = 0.0
    spent_at: float = 0.0
    promised_until: float = 0.0
    called_at: float = 0.0
    usual_tokens: float = 0.0

    def flow(self, rank: int, tenant: str) -> Flow | None:
        """The flow that a tenant's turns join, if there is one."""
        return _find(self.flows, rank, key_of(self, rank, tenant))


def key_of(line: Line, rank: int, tenant: str) -> str:
    """The tenant's own flow, or, when a lane has too many, one of them chosen by hash."""
    keys = [flow.key for flow in line.flows if flow.rank == rank]
    if tenant in keys or len(keys) < MAX_FLOWS:
        return tenant
    return sorted(keys)[zlib.crc32(tenant.encode()) % len(keys)]


def joined(line: Line, *, rank: int, tenant: str, tokens: float) -> tuple[Line, Ticket]:
    """The line after a turn took its place at the end of its tenant's flow, and its ticket."""
    key = key_of(line, rank, tenant)
    flow = _find(line.flows, rank, key)
    if flow is None:
        line = replace(line, opened=line.opened + 1)
        flow = Flow(rank, key, line.opened, 0.0, 0.0)
    ticket = Ticket(rank, key, flow.number, flow.booked, tokens)
    usual = line.usual_tokens + SMOOTHING * (tokens - line.usual_tokens) if line.usual_tokens else tokens
    line = replace(line, usual_tokens=usual)
    return _with(line, replace(flow, booked=flow.booked + tokens)), ticket


def rewound(line: Line, ticket: Ticket, *, spent: float) -> Line:
    """The line after the news that a turn which was due still waits: its flow is too far, by one turn at least.

    The last turns of the flow that were due are so no more, and those before them go first.

    Args:
        line: The line.
        ticket: The turn's.
        spent: Tokens that turns of the line acquired in all. Of what was poured, only what is not spent comes again:
            the flow was too far when turns that hold no ticket took some.
    """
    flow = _find(line.flows, ticket.rank, ticket.key)
    end = ticket.begin + ticket.tokens
    if flow is None:
        flow = Flow(ticket.rank, ticket.key, ticket.number, end, end)
    if flow.number != ticket.number:
        return line
    served = max(min(flow.served, ticket.begin), flow.served - ticket.tokens)
    rewinding = replace(flow, booked=max(flow.booked, end), served=served)
    taken_back = min(flow.served - served, max(0.0, line.poured - spent))
    return replace(_with(line, rewinding), poured=line.poured - taken_back)


def poured(line: Line, tokens: float) -> Line:
    """The line after that many tokens came; what nobody waits for is not taken."""
    flows, left = line.flows, tokens
    while flows and left > NOTHING:
        shares = _shares(flows)
        step = min(_to_empty(flows, shares), left)
        flows, left = _step(flows, shares, step), left - step
    return replace(line, flows=flows, poured=line.poured + tokens - left)


def tokens_until_due(line: Line, ticket: Ticket) -> float:
    """Tokens that have to come until all of the ticket's are there, if nobody else joins: 0 when they are."""
    flows, needed = line.flows, 0.0
    while True:
        flow = _find(flows, ticket.rank, ticket.key)
        missing = 0.0 if flow is None or flow.number != ticket.number else ticket.begin + ticket.tokens - flow.served
        if flow is None or missing <= NOTHING:
            return needed
        shares = _shares(flows)
        step = min(_to_empty(flows, shares), missing / shares[flows.index(flow)])
        flows, needed = _step(flows, shares, step), needed + step


def tokens_ahead(line: Line, ticket: Ticket) -> float:
    """Tokens of the own flow that come before the turn's."""
    flow = _find(line.flows, ticket.rank, ticket.key)
    return 0.0 if flow is None or flow.number != ticket.number else max(0.0, ticket.begin - flow.served)


def ticket_of(value: dict[str, Any] | None) -> Ticket | None:
    """Reads a ticket as it is kept in records and messages; one that cannot be read counts as none."""
    if value is None:
        return None
    try:
        ticket = Ticket(**value)
    except TypeError:
        return None
    return ticket if 0 <= ticket.rank < len(FLOORS) and math.isfinite(ticket.begin + ticket.tokens) else None


def _step(flows: tuple[Flow, ...], shares: Sequence[float], tokens: float) -> tuple[Flow, ...]:
    stepped = (replace(flow, served=flow.served + tokens * share) for flow, share in zip(flows, shares, strict=True))
    return tuple(flow for flow in stepped if flow.waiting > NOTHING)


def _to_empty(flows: tuple[Flow, ...], shares: Sequence[float]) -> float:
    """Tokens to pour until the next flow is empty."""
    return min(flow.waiting / share for flow, share in zip(flows, shares, strict=True))


def _shares(flows: tuple[Flow, ...]) -> list[float]:
    """Each flow's part of what is poured."""
    counts: dict[int, int] = {}
    for flow in flows:
        counts[flow.rank] = counts.get(flow.rank, 0) + 1
    lanes = _lane_shares(counts)
    return [lanes[flow.rank] / counts[flow.rank] for flow in flows]


def _lane_shares(ranks: Iterable[int]) -> dict[int, float]:
    present = sorted(ranks)
    shares = {rank: FLOORS[rank] for rank in present[1:]}
    return {present[0]: 1 - sum(shares.values()), **shares}


def _find(flows: tuple[Flow, ...], rank: int, key: str) -> Flow | None:
    return next((flow for flow in flows if flow.rank == rank and flow.key == key), None)


def _with(line: Line, changed: Flow) -> Line:
    others = tuple(flow for flow in line.flows if (flow.rank, flow.key) != (changed.rank, changed.key))
    return replace(line, flows=(*others, changed))
