"""How one instance writes to the line of a pool, in virtual time: all edits that are there, in one conditional write.

`shared/capacity/waiting_line.py` without its tasks; what is written comes from `shared.policies.{line,supply}`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.simulation.agenda import Agenda
from bench.simulation.item import Item
from bench.simulation.view import View
from shared.capacity.waiting_line import CALMER, LONGEST_PAUSE_SECONDS, LONGEST_PROMISE_SECONDS, SHORTEST_PAUSE_SECONDS
from shared.policies.line import Line, Ticket, joined, rewound
from shared.policies.supply import fed, line_spent

FLOW_BYTES, LINE_BYTES = 95, 500
"""Size of the item, for the charge: what JSON takes for a flow, and for the rest."""

Tell = Callable[[float, Ticket | None, float], None]


@dataclass(slots=True)
class Edit:
    """What a turn wants of the line.

    Attributes:
        tell: Called with the time, the ticket, and seconds until it is due; with None when the line is too crowded.
        back: The ticket of a turn that was due and found no budget; None for one that joins.
        promise_seconds: The turn was refused, and is told to come back so much later; None for one that waits.
    """

    rank: int
    tenant: str
    tokens: float
    tell: Tell
    back: Ticket | None = None
    promise_seconds: float | None = None
    ticket: Ticket | None = None
    seconds: float = 0.0


class LineWriter:
    """One instance's writer."""

    __slots__ = (
        "_agenda",
        "_batch",
        "_edits",
        "_item",
        "_pause",
        "_view",
        "_working",
        "begun_at",
        "entered",
        "open",
    )

    def __init__(self, agenda: Agenda, item: Item, view: Callable[[float], View]) -> None:
        """Starts with nothing to write; `view` gives the newest view."""
        self._agenda, self._item, self._view = agenda, item, view
        self._edits: list[Edit] = []
        self._batch: list[Edit] = []
        self._working, self._pause = False, SHORTEST_PAUSE_SECONDS
        self.begun_at, self.entered, self.open = 0.0, (0.0, 0), False

    def add(self, now: float, edit: Edit) -> None:
        """One more."""
        self._edits.append(edit)
        if not self._working:
            self._working = True
            self._agenda.at(now, self._begin)

    def _begin(self, now: float) -> None:
        if not self._edits:
            self._working = False
            return
        self._batch, self._edits, self.begun_at = self._edits, [], now
        self._item.replace(now, self)

    def change(self, now: float, value: Line) -> Line:
        """Carries out all edits."""
        view, line = self._view(now), value
        for edit in self._batch:
            if edit.promise_seconds is not None:
                line, edit.seconds = _promised(line, edit, view, now)
            elif edit.back is not None:
                spent = line_spent(view.accounts)
                line, edit.ticket = rewound(line, edit.back, spent=spent), edit.back
            else:
                line, edit.ticket = joined(line, rank=edit.rank, tenant=edit.tenant, tokens=edit.tokens)
        line = fed(line, view.accounts, view.open, now, strangers=view.strangers)
        for edit in self._batch:
            if edit.ticket is not None:
                edit.seconds = view.due_in_seconds(now, edit.ticket, line)
        self._item.size_bytes = LINE_BYTES + FLOW_BYTES * len(line.flows)
        waited = now - self.begun_at
        # Each time another was quicker the pause doubles; a try lasts about as long as the shortest pause.
        doubled = min(LONGEST_PAUSE_SECONDS, self._pause * 2 ** min(10.0, waited / SHORTEST_PAUSE_SECONDS / 2))
        self._pause = max(SHORTEST_PAUSE_SECONDS, CALMER * doubled)
        return line

    def written(self, now: float) -> None:
        """The answer has come."""
        for edit in self._batch:
            edit.tell(now, edit.ticket, edit.seconds)
        # Who has just written could write again at once and leave the others no chance.
        self._agenda.at(now + self._pause, self._begin)

    def beaten(self, now: float) -> None:
        """Too many stand in line at once: the turns wait without a place."""
        for edit in self._batch:
            edit.tell(now, None, 0.0)
        self._pause = LONGEST_PAUSE_SECONDS
        self._agenda.at(now, self._begin)


def _promised(line: Line, edit: Edit, view: View, now: float) -> tuple[Line, float]:
    pace = view.supply.pace
    needs = edit.tokens / pace if pace > 0 else 0.0
    at = max(now + (edit.promise_seconds or 0.0), line.promised_until) + needs
    at = min(at, now + LONGEST_PROMISE_SECONDS)
    return replace(line, promised_until=at), at - now
