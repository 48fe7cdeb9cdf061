"""Hand-made accounts: a few turns with their calls, records and stored copies, on a clock that begins at 1000."""

import hashlib
from typing import Any

from bench.lab.facts import Call, Facts, Outage, Snapshot, Stored
from bench.lab.record import Record
from bench.lab.schedule import Planned

BEGAN = 1000.0


class Account:
    """Collects turns and gives the facts of a run."""

    def __init__(self, *, quota: dict[str, int] | None = None, keeps_turns: bool = True) -> None:
        self.quota = quota or {"chat-0": 6000}
        self.keeps_turns = keeps_turns
        self.planned: list[Planned] = []
        self.records: list[Record] = []
        self.calls: list[Call] = []
        self.stored: list[Stored] = []
        self.outages: list[Outage] = []
        self.snapshots: list[Snapshot] = []

    def turn(
        self,
        at: float,
        *,
        start: float | None = None,
        answer: str = "yes",
        seen: str | None = None,
        state: str = "succeeded",
        lane: str = "standard",
        tenant: str = "contoso",
        phase: str = "load",
        mode: str = "stream",
        ends: float = 60.0,
        **record: Any,
    ) -> Record:
        """A turn asked `at` seconds after the start, whose call arrives at `start` and takes a second."""
        number = len(self.planned)
        planned = Planned(number, phase, tenant, lane, mode, at, f"question {number}")
        self.planned.append(planned)
        defaults = {"sent_at": BEGAN + at, "accepted_at": BEGAN + at + 0.1, "outcome": "done", "turn_id": f"t{number}"}
        made = Record(number, text=answer if seen is None else seen, **{**defaults, **record})
        self.records.append(made)
        if start is not None:
            self.call(start, number=number)
        if self.keeps_turns and made.accepted_at is not None:
            times = (BEGAN + at + 60, BEGAN + at + ends)
            self.stored.append(Stored(f"t{number}", planned.text, state, answer, *times, lane, BEGAN + at + 0.05))
        return made

    def call(
        self,
        at: float,
        *,
        number: int | None = None,
        tokens: int = 100,
        status: int = 200,
        outcome: str = "succeeded",
        deployment: str = "chat-0",
        first: float | None = 0.2,
    ) -> None:
        """A call of a turn, or of nobody's."""
        text = None if number is None else self.planned[number].text
        arrived = BEGAN + at
        self.calls.append(
            Call(
                arrived_at=arrived,
                decided_at=arrived,
                ended_at=arrived + 1,
                deployment=deployment,
                estimate=tokens if status == 200 else 0,
                asked_tokens=tokens,
                status=status,
                outcome=outcome,
                first_token_at=arrived + first if first is not None and status == 200 else None,
                question=None if text is None else hashlib.sha256(text.encode()).hexdigest(),
                prompt_tokens=70 if status == 200 else 0,
                output_tokens=30 if status == 200 else 0,
            )
        )

    def facts(self, *, ended: float = 600.0) -> Facts:
        """All of it."""
        return Facts(
            began=BEGAN,
            ended=BEGAN + ended,
            quota=self.quota,
            planned=self.planned,
            records=self.records,
            calls=self.calls,
            stored=self.stored,
            keeps_turns=self.keeps_turns,
            outages=self.outages,
            snapshots=self.snapshots,
        )
