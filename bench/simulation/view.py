"""The line and the accounts of a pool as instances see them that look at about the same moment.

All that look within a quarter of a second see the same, so that the policies work it out once for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.policies import line as lines
from shared.policies.ledger import LedgerState
from shared.policies.line import Line, Ticket
from shared.policies.supply import Supply, fed, reserve_tokens, supply

SECONDS = 0.25
LONGEST_SECONDS = 86_400.0
PARTS = 20
"""As `shared.capacity.capacity`: the reserve is worked out for twentieths."""


@dataclass(slots=True)
class View:
    """What is known of a pool at a moment.

    Attributes:
        line: As it was written, fed with what has come since.
        accounts: Of all deployments of the pool, by name.
        open: Of those that take calls now.
        strangers: Part of the calls of the first lane by tenants that do not wait.
    """

    at: float
    line: Line
    accounts: Mapping[str, LedgerState]
    open: Mapping[str, LedgerState]
    strangers: float
    _supply: Supply | None = None
    _reserves: dict[float, float] = field(default_factory=dict)
    _rooms: dict[str, float] = field(default_factory=dict)
    _outlooks: dict[tuple[int, str], float] = field(default_factory=dict)
    _flows: frozenset[tuple[int, str]] = frozenset()

    def __post_init__(self) -> None:
        """Feeds the line."""
        self.line = fed(self.line, self.accounts, self.open, self.at, strangers=self.strangers)
        self._flows = frozenset((flow.rank, flow.key) for flow in self.line.flows)

    @property
    def anybody(self) -> bool:
        """Somebody waits."""
        return bool(self._flows)

    def waits(self, rank: int, tenant: str) -> bool:
        """Earlier turns of this tenant wait in this lane."""
        return bool(self._flows) and (rank, lines.key_of(self.line, rank, tenant)) in self._flows

    @property
    def supply(self) -> Supply:
        """What will come to the line."""
        if self._supply is None:
            self._supply = supply(self.line, self.accounts, self.at, strangers=self.strangers)
        return self._supply

    def due_in_seconds(self, now: float, ticket: Ticket, line: Line | None = None) -> float:
        """Until a ticket is due."""
        tokens = lines.tokens_until_due(self.line if line is None else line, ticket)
        return min(self.supply.seconds_until(now, tokens), LONGEST_SECONDS)

    def outlook(self, now: float, rank: int, tenant: str, tokens: float) -> float:
        """How long a turn that joined now would wait; turns of one lane and tenant are told the same."""
        key = (rank, tenant)
        if key not in self._outlooks:
            line, ticket = lines.joined(self.line, rank=rank, tenant=tenant, tokens=tokens)
            self._outlooks[key] = self.due_in_seconds(now, ticket, line)
        return self._outlooks[key]

    def kept_at(self, name: str, *, part: float) -> float:
        """Room to leave at a deployment, so that the pool keeps its reserve for strangers."""
        if part not in self._reserves:
            self._reserves[part] = reserve_tokens(self.open.values(), strangers=part)
            self._rooms = {other: max(0.0, state.token_room) for other, state in self.open.items()}
        others = sum(self._rooms.values()) - self._rooms.get(name, 0.0)
        return max(0.0, self._reserves[part] - others)
