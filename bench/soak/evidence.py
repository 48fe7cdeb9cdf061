"""What the referee goes by: callers, simulator, store, broker and kernel; of the app's word only what it regrets."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.lab.facts import Facts
from bench.soak.callers import Seen
from bench.soak.processes import Sample
from bench.soak.stack import OPERATOR, QUOTA_TOKENS, SoakStack
from bench.soak.traffic import LANES, Visit
from bench.soak.watch import Watch

TURNS = "SELECT c.id, c.tenant, c.session_id, c.lane, c.state, c.answer, c.run, c.deadline_at, c.path, c.error FROM c"
SESSIONS = "SELECT c.id, c.tenant, c.session_id, c.state, c.answer FROM c"
LINES = "SELECT c.id, c.account FROM c"
SURPRISE = re.compile(r"spillway: (fail_request|break_run|break_relay|background_work)\b|was never retrieved")
"""Log lines of faults that nobody expected; what is expected when a service is away has lines of its own."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of one soak.

    Attributes:
        facts: In the form that the load lab's referee takes.
        turns: Every stored turn.
        sessions: Every stored entry of a conversation.
        queues: The broker's counts, dead-letter queues included.
        letters: Dead letters of the lanes with the state of their turns.
        capacity: Shared accounts and lines as they are stored.
        in_flight: Calls under way at the simulator when all was over.
        drained_after: Seconds from the last caller's end until all was quiet; None when it never was.
        loads: Load average of the machine, as often as samples were taken.
        evaluation_calls: Chat calls for anything but a planned question, such as judging.
        surprises: What the app logged of faults that nobody expected.
    """

    facts: Facts
    visits: Sequence[Visit]
    seen: Sequence[Seen]
    turns: Sequence[dict[str, Any]]
    sessions: Sequence[dict[str, Any]]
    queues: dict[str, Any]
    letters: Sequence[dict[str, Any]]
    capacity: Sequence[dict[str, Any]]
    in_flight: int
    drained_after: float | None
    samples: Sequence[Sample]
    loads: Sequence[float]
    faults: Sequence[dict[str, Any]]
    watch: Watch
    evaluation_calls: int
    surprises: Sequence[str] = ()


def gather(
    stack: SoakStack,
    *,
    began: float,
    visits: Sequence[Visit],
    seen: Sequence[Seen],
    samples: Sequence[Sample],
    loads: Sequence[float],
    faults: Sequence[dict[str, Any]],
    watch: Watch,
    drained_after: float | None,
) -> Evidence:
    """Reads everything from a stack that is quiet."""
    calls = stack.account_of_calls()
    facts = Facts(
        began=began,
        ended=time.time(),
        quota={entry["name"]: QUOTA_TOKENS for entry in stack.models["deployments"] if entry["kind"] == "chat"},
        planned=[visit.planned for visit in visits],
        records=[noted.record for noted in seen],
        calls=calls,
        stored=stack.stored_turns(),
        keeps_turns=True,
    )
    watch.look(since=0)
    planned = {visit.planned.digest for visit in visits}
    _keep(stack.folder / "calls.jsonl", [asdict(call) for call in calls])
    _keep(stack.folder / "turns.jsonl", stack.rows("turns", TURNS))
    return Evidence(
        facts=facts,
        visits=visits,
        seen=seen,
        turns=stack.rows("turns", TURNS),
        sessions=stack.rows("sessions", SESSIONS),
        queues=stack.broker_account(),
        letters=_letters(stack),
        capacity=stack.rows("capacity", LINES),
        in_flight=stack.in_flight(),
        drained_after=drained_after,
        samples=samples,
        loads=loads,
        faults=faults,
        watch=watch,
        evaluation_calls=sum(call.question not in planned for call in calls),
        surprises=surprises(stack.folder / "app.log"),
    )


def surprises(log: Path) -> list[str]:
    """The lines of a log that tell of a fault nobody expected."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return [line.strip()[:200] for line in lines if SURPRISE.search(line)]


def _keep(path: Path, rows: list[dict[str, Any]]) -> None:
    """For whoever looks into a broken rule; gone with the folder unless that is kept."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _letters(stack: SoakStack) -> list[dict[str, Any]]:
    """All dead letters of the lanes, page by page."""
    found = list[dict[str, Any]]()
    with stack.client(OPERATOR) as client:
        for lane in LANES:
            after = 0
            while True:
                reply = client.get("/api/dead-letters", params={"lane": lane, "after": after, "limit": 250})
                page = reply.raise_for_status().json()["dead_letters"]
                if not page:
                    break
                found += page
                after = page[-1]["sequence_number"]
    return found
