"""What the console shows beside what happened, line by line."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.console.page import Row, Shown
from bench.lab.facts import Call, Facts, Journey

ALLOWED_SHARE = 0.02
ALLOWED_SECONDS = 0.05
STATES = {"Answered": "succeeded", "Failed": "failed", "Expired": "expired", "Cancelled": "cancelled"}
LEVELS = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Compared:
    """One number twice.

    Attributes:
        what: As the console calls it.
        of: Of which lane, deployment or tenant.
        console: What the page shows; None when it shows nothing.
        referee: What happened; None when nothing did.
        exact: The two have to be equal; otherwise within what is allowed.
        differs_share: By which share of the referee's.
    """

    what: str
    of: str
    console: float | None
    referee: float | None
    exact: bool
    differs_share: float | None
    agrees: bool


def compared(shown: Shown, facts: Facts) -> list[Compared]:
    """All lines: turns, refusals, calls and 429s, tokens, waits and first tokens."""
    return [
        *_turns(shown.lanes, facts),
        *_calls(shown.deployments, facts),
        *_tokens(shown.models, facts),
        *_waits(shown.waits, facts),
        *_tiles(shown.tiles, facts),
    ]


def _turns(rows: list[Row], facts: Facts) -> Iterator[Compared]:
    """Accepted and refused by the callers' records, ends by the store, each by its lane there."""
    taken, refused, over = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for journey in facts.journeys:
        taken[journey.planned.lane] += journey.accepted
        refused[journey.planned.lane] += len(journey.record.refused)
    for turn in facts.stored:
        over[turn.lane, turn.state] += 1
    lanes = {lane for counts in (taken, refused) for lane, count in counts.items() if count}
    for lane in sorted(lanes | {lane for lane, _ in over} | {row["Lane"] for row in rows}):
        row = _row(rows, Lane=lane)
        yield equal("Accepted", lane, row, taken[lane])
        yield equal("Refused", lane, row, refused[lane])
        for column, state in STATES.items():
            yield equal(column, lane, row, over[lane, state])


def _calls(rows: list[Row], facts: Facts) -> Iterator[Compared]:
    """Calls, 429s and tokens of each deployment by the simulator's account."""
    calls = defaultdict[str, list[Call]](list)
    for call in facts.calls:
        calls[call.deployment].append(call)
    for deployment in sorted({*calls, *(row["Deployment"] for row in rows)}):
        row, own = _row(rows, Deployment=deployment), calls[deployment]
        yield equal("Calls", deployment, row, len(own))
        yield equal("429s", deployment, row, sum(call.status == 429 for call in own))
        yield equal("Tokens", deployment, row, sum(_both(call) for call in own if call.succeeded))


def _both(call: Call) -> int:
    return call.prompt_tokens + call.output_tokens


def _tokens(rows: list[Row], facts: Facts) -> Iterator[Compared]:
    """Tokens of answers by tenant and lane, of the call that answered."""
    answers = defaultdict[tuple[str, str], list[Call]](list)
    for journey in _answered(facts):
        if journey.success is not None and journey.kept is not None:
            answers[journey.planned.tenant, journey.kept.lane].append(journey.success)
    for tenant, lane in sorted({*answers, *((row["Tenant"], row["Lane"]) for row in rows)}):
        row, own = _row(rows, Tenant=tenant, Lane=lane), answers[tenant, lane]
        of = f"{tenant}, {lane}"
        yield equal("Answers", of, row, len(own))
        yield equal("Input", of, row, sum(call.prompt_tokens for call in own))
        yield equal("Output", of, row, sum(call.output_tokens for call in own))


def _waits(rows: list[Row], facts: Facts) -> Iterator[Compared]:
    """Seconds from when the caller sent it to the arrival of the call that answered, and to its first token."""
    groups = defaultdict[str, list[Journey]](list)
    for journey in _answered(facts):
        if journey.kept is not None:
            groups[journey.kept.lane].append(journey)
    for lane in sorted({*groups, *(row["Lane"] for row in rows)}):
        row, own = _row(rows, Lane=lane), groups[lane]
        for level in LEVELS:
            yield near(f"Wait p{level}, s", lane, row, percentile(_seconds(own, first_token=False), level))
            yield near(f"First token p{level}, s", lane, row, percentile(_seconds(own, first_token=True), level))


def _tiles(tiles: dict[str, tuple[str, str]], facts: Facts) -> Iterator[Compared]:
    """Counts, and the first token from accept, which the store says: before it no clock but the callers' runs."""
    answers, first = tiles.get("Answered turns", ("", "")), tiles.get("First token, p95", ("", ""))
    answered = list(_answered(facts))
    over = sum(turn.state in STATES.values() for turn in facts.stored)
    yield equal("Answered turns", "all", {"Answered turns": answers[0]}, len(answered))
    ended = answers[1].removeprefix("of ").partition(" ")[0]
    yield equal("Turns that ended", "all", {"Turns that ended": ended}, over)
    seconds = {"First token, p95": first[0].removesuffix(" s")}
    accepted = [(journey.kept.created_at, journey.success) for journey in answered if journey.kept and journey.success]
    in_the_app = [call.first_token_at - at for at, call in accepted if call.first_token_at is not None]
    yield near("First token, p95", "all", seconds, percentile(in_the_app, 95))


def _answered(facts: Facts) -> Iterator[Journey]:
    return (journey for journey in facts.journeys if facts.succeeded(journey))


def _seconds(journeys: Iterable[Journey], *, first_token: bool) -> list[float]:
    calls = [(journey.record.sent_at, journey.success) for journey in journeys if journey.success is not None]
    ends = [(sent, call.first_token_at if first_token else call.arrived_at) for sent, call in calls]
    return [end - sent for sent, end in ends if end is not None]


def percentile(values: list[float], level: int) -> float | None:
    """By nearest rank, as the workbook's queries count it; None of nothing."""
    return sorted(values)[math.ceil(level / 100 * len(values)) - 1] if values else None


def _row(rows: list[Row], **wanted: str) -> Row:
    """The row with these values; an empty one, whose counts are nothing, when the page has none."""
    return next((row for row in rows if all(row.get(key) == value for key, value in wanted.items())), {})


def number(text: str | None) -> float | None:
    """A number as the console writes it; None of a dash or nothing."""
    return float(text.replace(",", "")) if text and text != "–" else None


def equal(what: str, of: str, row: Row, referee: int) -> Compared:
    """A count. Where the page has no row for it, it shows nothing of it."""
    console = number(row.get(what)) if row else 0.0
    return Compared(what, of, console, float(referee), True, _share(console, referee), console == referee)


def near(what: str, of: str, row: Row, referee: float | None) -> Compared:
    """A percentile in seconds."""
    console = number(row.get(what))
    if console is None or referee is None:
        return Compared(what, of, console, referee, False, None, console is referee)
    agrees = abs(console - referee) <= max(ALLOWED_SHARE * referee, ALLOWED_SECONDS)
    return Compared(what, of, console, round(referee, 3), False, _share(console, referee), agrees)


def _share(console: float | None, referee: float) -> float | None:
    return None if console is None or not referee else round((console - referee) / referee, 5)
