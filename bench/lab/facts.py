"""What the referee goes by: schedule, callers' records, the simulator's account, the store, the broker's counts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.lab.record import Record
from bench.lab.schedule import Planned


@dataclass(frozen=True, slots=True)
class Call:
    """One chat call as the simulator accounts for it. Times are seconds since 1970.

    Attributes:
        decided_at: When the quota let it in or turned it away; its arrival when it did not get so far.
        estimate: Tokens charged at admission; 0 when it was not admitted.
        asked_tokens: Tokens it would have been charged, admitted or not.
        question: SHA-256 of the question's text; None when the call was turned away unread.
        prompt_tokens: Of the question as it was sent; 0 when the call was not admitted.
        output_tokens: That were really sent.
    """

    arrived_at: float
    decided_at: float
    ended_at: float
    deployment: str
    estimate: int
    asked_tokens: int
    status: int
    outcome: str
    first_token_at: float | None = None
    question: str | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0

    @property
    def admitted(self) -> bool:
        """It was charged to the quota."""
        return self.estimate > 0

    @property
    def succeeded(self) -> bool:
        """It was answered to the end."""
        return self.outcome == "succeeded"


@dataclass(frozen=True, slots=True)
class Stored:
    """One turn as it lies in the store. Times are seconds since 1970; the store keeps `changed_at` to the second."""

    turn_id: str
    text: str
    state: str
    answer: str = ""
    deadline_at: float = 0.0
    changed_at: float = 0.0
    lane: str = ""
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Outage:
    """A span in which only a share of the quota was there, as it really happened. Seconds since 1970."""

    begins: float
    ends: float
    permitted_share: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts of broker and store at the boundary of a segment."""

    segment: str
    at: float
    broker: Mapping[str, Any]
    store: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Journey:
    """A turn with everything known of it."""

    planned: Planned
    record: Record
    asked_at: float
    calls: tuple[Call, ...]
    stored: tuple[Stored, ...]

    @property
    def accepted(self) -> bool:
        """Its caller was told that it is taken."""
        return self.record.accepted_at is not None

    @property
    def started_at(self) -> float | None:
        """When its first admitted call arrived at the simulator."""
        return min((call.arrived_at for call in self.calls if call.admitted), default=None)

    @property
    def success(self) -> Call | None:
        """The first call that was answered to the end."""
        return next((call for call in self.calls if call.succeeded), None)

    @property
    def kept(self) -> Stored | None:
        """The stored turn that its caller was told of."""
        return next((stored for stored in self.stored if stored.turn_id == self.record.turn_id), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """One run of one arm.

    Attributes:
        began: Start of the run.
        ended: When the runner stopped looking.
        quota: Tokens a minute of each deployment.
        keeps_turns: The arm has a store; else a turn is over when its caller says so.
    """

    began: float
    ended: float
    quota: Mapping[str, int]
    planned: Sequence[Planned]
    records: Sequence[Record]
    calls: Sequence[Call]
    stored: Sequence[Stored] = ()
    keeps_turns: bool = False
    outages: Sequence[Outage] = ()
    snapshots: Sequence[Snapshot] = ()
    journeys: list[Journey] = field(init=False)

    def __post_init__(self) -> None:
        """Joins everything by the question's text, which is unlike any other."""
        calls, stored = defaultdict[str | None, list[Call]](list), defaultdict[str, list[Stored]](list)
        for call in sorted(self.calls, key=lambda call: call.arrived_at):
            calls[call.question].append(call)
        for turn in self.stored:
            stored[turn.text].append(turn)
        joined = [
            Journey(planned, record, self.began + planned.at, tuple(calls[planned.digest]), tuple(stored[planned.text]))
            for planned, record in zip(self.planned, self.records, strict=True)
        ]
        object.__setattr__(self, "journeys", joined)

    def succeeded(self, journey: Journey) -> bool:
        """The simulator answered it to the end and the answer is where it belongs: in the store, or with its caller."""
        if journey.success is None:
            return False
        if self.keeps_turns:
            return journey.kept is not None and journey.kept.state == "succeeded"
        return journey.record.outcome == "done"
