"""What a simulated run shows, in numbers: turns, calls, quota, fairness, and what it takes of ledger, bus and store."""

from collections import defaultdict
from itertools import accumulate
from typing import Any

from bench.machine import percentiles
from bench.simulation.assumptions import Assumptions
from bench.simulation.plan import Plan
from bench.simulation.tally import LANES, Tally
from shared.policies.pacing import LAST_INTERVAL_SECONDS, relay_interval_seconds

MILLION = 1_000_000
STEP_SECONDS = 2


def figures(plan: Plan, tally: Tally, assumed: Assumptions) -> dict[str, Any]:
    """All of a run. Shares are parts of one, times seconds; `per_million` is for a million turns asked."""
    calls = sum(tally.calls.values())
    refused = tally.calls["tokens"] + tally.calls["requests"]
    return {
        "turns": _turns(tally),
        "calls": dict(tally.calls),
        "calls_per_answer": _share(calls, tally.calls["admitted"]),
        "share_429": _share(refused, calls),
        "max_window_overshoot": round(max(tally.overshoots.values()), 4),
        "max_window_admitted": round(max(tally.most_admitted.values()), 4),
        "utilisation": _utilisation(tally),
        "fairness": fairness(tally),
        "wait_s": {
            lane: {**percentiles(list(waits), 50, 95, 99)} if len(waits) else None
            for lane, waits in zip(LANES, tally.waits, strict=True)
        },
        "ledger": _ledger(tally),
        "per_million": per_million(plan, tally, assumed),
        "series": series(plan, tally),
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _turns(tally: Tally) -> dict[str, Any]:
    ends = ("asked", "answered", "refused", "expired", "waiting")
    totals = {end: sum(tally.ends[lane, end] for lane in LANES) for end in ends}
    lanes = {lane: {end: tally.ends[lane, end] for end in ends} for lane in LANES}
    return totals | {"direct_share": _share(tally.direct, totals["answered"]), "lanes": lanes}


def _utilisation(tally: Tally) -> dict[str, Any]:
    """Part of the permitted tokens that was admitted: in all seconds, and in the full minutes with backlog.

    Backlog is as in the load lab: a turn has waited for more than a second and its call has not arrived.
    """
    last = max(tally.quota, default=0)
    late = list(accumulate(tally.long_waits[second] for second in range(last + 1)))
    spans, begin = list[tuple[int, int]](), None
    for second, count in enumerate([*late, 0]):
        if count > 0 and begin is None:
            begin = second
        elif count <= 0 and begin is not None:
            spans.append((begin, second))
            begin = None
    minutes = [(b + 60 * n, b + 60 * n + 60) for b, e in spans for n in range((e - b) // 60)]
    used = [
        (sum(tally.admitted[s] for s in range(*minute)), sum(tally.quota[s] for s in range(*minute)))
        for minute in minutes
    ]
    permitted = sum(tally.quota.values())
    return {
        "whole_run": _share(sum(tally.admitted.values()), permitted),
        "under_backlog": _share(sum(part for part, _ in used), sum(whole for _, whole in used)),
        "backlog_minutes": len(minutes),
    }


def fairness(tally: Tally) -> float | None:
    """Jain's index over tenants: 1 when each got what max-min fairness gives it, 1/n when one got all.

    For each minute and lane in which not all that was asked for was served, each tenant's tokens are divided by its
    fair part; minutes and lanes are weighted by their tokens. None when all was served at once.
    Source: Jain, Chiu and Hawe, DEC-TR-301, 1984.
    """
    groups = defaultdict[tuple[int, str], dict[str, float]](dict)
    owed = defaultdict[tuple[str, str], float](float)
    for minute, lane, tenant in {*tally.served, *tally.demanded}:
        groups[minute, lane][tenant] = 0.0
    total = weight = 0.0
    for minute, lane in sorted(groups):
        tenants = {tenant for other, known in owed if other == lane for tenant in [known]} | set(groups[minute, lane])
        wanted = {tenant: owed[lane, tenant] + tally.demanded.get((minute, lane, tenant), 0.0) for tenant in tenants}
        served = {tenant: tally.served.get((minute, lane, tenant), 0.0) for tenant in tenants}
        for tenant in tenants:
            owed[lane, tenant] = max(0.0, wanted[tenant] - served[tenant])
        whole = sum(served.values())
        if whole <= 0 or whole >= 0.95 * sum(wanted.values()):
            continue
        fair = _fair_parts(wanted, whole)
        parts = [served[tenant] / fair[tenant] for tenant in tenants if fair[tenant] > 0]
        total += whole * sum(parts) ** 2 / (len(parts) * sum(part**2 for part in parts))
        weight += whole
    return round(total / weight, 4) if weight else None


def _fair_parts(wanted: dict[str, float], whole: float) -> dict[str, float]:
    """Max-min: nobody gets more than it wants, and what is left is shared evenly."""
    parts, left, waiting = dict.fromkeys(wanted, 0.0), whole, sorted(wanted, key=lambda tenant: wanted[tenant])
    while waiting:
        tenant = waiting.pop(0)
        parts[tenant] = min(wanted[tenant], left / (len(waiting) + 1))
        left -= parts[tenant]
    return parts


def _ledger(tally: Tally) -> dict[str, Any]:
    kinds = ("account", "line")
    operations = ("read", "patch", "replace", "conflict", "given_up", "throttled")
    return {
        **{kind: {operation: tally.ledger[kind, operation] for operation in operations} for kind in kinds},
        "most_throttled_seconds": round(tally.most_throttled_seconds, 3),
    }


def relay_messages(seconds: float, *, streams_a_pair: float) -> float:
    """Messages of the relay for one stream whose text takes so many seconds.

    The first and the last go at once; those between are shared by all streams from one instance to another, of which
    there are `streams_a_pair` on average. A pair that is never idle sends at the last interval, a fresh one at growing
    ones.
    """
    if streams_a_pair >= 0.1:
        return 2 + seconds / LAST_INTERVAL_SECONDS / max(1.0, streams_a_pair)
    sent, at = 1, 0.0
    while (at := at + relay_interval_seconds(sent)) < seconds:
        sent += 1
    return 1 + sent


def per_million(plan: Plan, tally: Tally, assumed: Assumptions) -> dict[str, float]:
    """What a million turns take of the ledger, of Service Bus and of Cosmos DB."""
    asked = sum(tally.ends[lane, "asked"] for lane in LANES)
    answered = sum(tally.ends[lane, "answered"] for lane in LANES)
    if not asked or not answered:
        return {}
    store = assumed.store
    queued = answered - tally.direct
    at_once = tally.stream_seconds / plan.seconds
    mean = tally.stream_seconds / tally.streamed if tally.streamed else 0.0
    relay = tally.streamed * relay_messages(mean, streams_a_pair=at_once / plan.instances**2) if tally.streamed else 0.0
    turn_units = (
        tally.direct * store.direct_turn_units
        + queued * store.queued_turn_units
        + max(0, tally.lane_messages - queued) * store.sleep_units
        + tally.checkpoints * store.checkpoint_units
        + tally.call_rounds * store.call_units
    )
    ledger = {name: sum(tally.ledger[kind, name] for kind in ("account", "line")) for name in ("read", "conflict")}
    writes = sum(tally.ledger[kind, name] for kind in ("account", "line") for name in ("patch", "replace"))
    each = MILLION / asked
    return {
        "ledger_reads": round(ledger["read"] * each),
        "ledger_writes": round(writes * each),
        "ledger_conflicts": round(ledger["conflict"] * each),
        "ledger_request_units": round(tally.ledger_units * each),
        "turn_request_units": round(turn_units * each),
        "request_units": round((tally.ledger_units + turn_units) * each),
        "lane_operations": round(tally.lane_messages * assumed.message_operations * each),
        "relay_operations": round(relay * assumed.relay_operations * each),
        "bus_operations": round(
            (tally.lane_messages * assumed.message_operations + relay * assumed.relay_operations) * each
        ),
        "direct_share": round(tally.direct / answered, 4),
        "instance_seconds": round(tally.answer_seconds * each),
    }


def series(plan: Plan, tally: Tally) -> dict[str, Any]:
    """What the picture shows, in the steps and words of the load lab."""
    steps = range(0, int(plan.seconds), STEP_SECONDS)
    share = (plan.played or plan.pools) / plan.pools

    def mean_wait(rank: int, step: int) -> float | None:
        count = sum(tally.wait_counts[rank][second] for second in range(step, step + STEP_SECONDS))
        total = sum(tally.wait_sums[rank][second] for second in range(step, step + STEP_SECONDS))
        return round(total / count, 3) if count else None

    waiting = [
        list(accumulate(changes[second] for second in range(int(plan.seconds) + 1))) for changes in tally.waiting
    ]
    return {
        "step_seconds": float(STEP_SECONDS),
        "quota_tokens_per_minute": plan.quota,
        "goodput": [
            round(sum(tally.admitted[s] for s in range(step, step + STEP_SECONDS)) * 60 / STEP_SECONDS / share)
            for step in steps
        ],
        "refused_calls": [
            round(sum(tally.refused_calls[s] for s in range(step, step + STEP_SECONDS)) / share) for step in steps
        ],
        "waiting": {
            lane: [round(waiting[rank][max(0, step - 1)] / share) for step in steps] for rank, lane in enumerate(LANES)
        },
        "wait_s": {lane: [mean_wait(rank, step) for step in steps] for rank, lane in enumerate(LANES)},
    }
