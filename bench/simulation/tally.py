"""What is counted while a pool is simulated; tallies of several pools are added up."""

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

LANES = ("interactive", "standard", "batch")


def _amounts() -> "defaultdict[Any, float]":
    return defaultdict(float)


def _waits() -> "list[array[float]]":
    return [array("f") for _ in LANES]


@dataclass(slots=True)
class Tally:
    """Counts of one pool or of several.

    Attributes:
        ends: By lane and end (`asked`, `answered`, `refused`, `expired`, `waiting`).
        direct: Turns that were answered on the direct path.
        calls: Calls at the deployments by what became of them.
        ledger: Operations by kind of item (`account`, `line`) and operation.
        ledger_units: Request units of all of these.
        lane_messages: Messages sent to lanes, those that sleep included.
        sleeps: Of these, scheduled for later.
        called_forward: Extra messages of the usher.
        call_rounds: Times an instance looked for sleepers to call.
        streamed: Queued turns of which a caller holds the connection, which the relay serves.
        stream_seconds: For which their text grew, in all.
        answer_seconds: Of all answers; `checkpoints`: every two seconds of one.
        waits: By lane, seconds until the first admitted call.
        overshoots: By deployment, see `Service.overshoot`.
        admitted: Tokens admitted by second.
        quota: Tokens that the limits in force permitted, by second.
        waiting: By lane, change of the number of waiting turns by second.
        long_waits: The same for turns that have waited for more than a second.
        refused_calls: By second.
        served, demanded: Tokens by (minute, lane, tenant of pool).
    """

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    direct: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    ledger: Counter[tuple[str, str]] = field(default_factory=Counter)
    ledger_units: float = 0.0
    most_throttled_seconds: float = 0.0
    ledger_away: int = 0
    lane_messages: int = 0
    sleeps: int = 0
    called_forward: int = 0
    call_rounds: int = 0
    streamed: int = 0
    stream_seconds: float = 0.0
    answer_seconds: float = 0.0
    checkpoints: int = 0
    estimate_tokens: float = 0.0
    waits: "list[array[float]]" = field(default_factory=_waits)
    overshoots: dict[str, float] = field(default_factory=dict)
    most_admitted: dict[str, float] = field(default_factory=dict)
    admitted: defaultdict[int, float] = field(default_factory=_amounts)
    quota: defaultdict[int, float] = field(default_factory=_amounts)
    waiting: list[Counter[int]] = field(default_factory=lambda: [Counter() for _ in LANES])
    long_waits: Counter[int] = field(default_factory=Counter)
    refused_calls: Counter[int] = field(default_factory=Counter)
    served: defaultdict[tuple[int, str, str], float] = field(default_factory=_amounts)
    demanded: defaultdict[tuple[int, str, str], float] = field(default_factory=_amounts)
    wait_sums: list[defaultdict[int, float]] = field(default_factory=lambda: [defaultdict(float) for _ in LANES])
    wait_counts: list[Counter[int]] = field(default_factory=lambda: [Counter() for _ in LANES])
    events: int = 0

    def add(self, other: "Tally") -> None:
        """Adds what another pool counted."""
        for name in ("ends", "calls", "ledger", "long_waits", "refused_calls"):
            getattr(self, name).update(getattr(other, name))
        for name in (
            *("direct", "ledger_units", "ledger_away", "lane_messages", "sleeps", "called_forward", "call_rounds"),
            *("streamed", "stream_seconds", "answer_seconds", "checkpoints", "estimate_tokens", "events"),
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_throttled_seconds = max(self.most_throttled_seconds, other.most_throttled_seconds)
        for rank in range(len(LANES)):
            self.waits[rank].extend(other.waits[rank])
            self.waiting[rank].update(other.waiting[rank])
            self.wait_counts[rank].update(other.wait_counts[rank])
            for second, seconds in other.wait_sums[rank].items():
                self.wait_sums[rank][second] += seconds
        self.overshoots |= other.overshoots
        self.most_admitted |= other.most_admitted
        for name in ("admitted", "quota", "served", "demanded"):
            mine = getattr(self, name)
            for key, value in getattr(other, name).items():
                mine[key] += value
