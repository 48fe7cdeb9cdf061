"""The verdict over one arm: from the simulator's account, the store and the callers' records, not the app's word."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from bench.lab import outcomes
from bench.lab.costs import costs
from bench.lab.facts import Facts, Journey
from bench.lab.order import inversions
from bench.lab.windows import (
    backlog_spans,
    calls_in_outage,
    most_in_window,
    overshoot,
    recovery_seconds,
    used,
    utilisation,
    utilisation_under_backlog,
    waiting_spans,
)
from bench.machine import percentiles

STEP_SECONDS = 2.0


def judge(facts: Facts) -> dict[str, Any]:
    """All figures of an arm. Times in its result are seconds; latencies count from the intended start."""
    whole, by_minute = utilisation_under_backlog(facts)
    inverted, pairs = inversions(facts.journeys)
    far, _ = inversions(facts.journeys, by_more_than_seconds=1.0)
    return {
        **outcomes.counts(facts),
        **outcomes.calls(facts),
        "extra_tokens_share": outcomes.extra_tokens_share(facts.journeys),
        "utilisation_under_backlog": rounded(whole),
        "utilisation_by_minute": [round(value, 4) for value in by_minute],
        "backlog_seconds": round(sum(end - begin for begin, end in backlog_spans(facts)), 1),
        "max_window_overshoot": rounded(overshoot(facts.calls, facts.quota)),
        "max_window_admitted": rounded(_most_admitted(facts)),
        "inversions_share": rounded(inverted),
        "inversions_over_1s_share": rounded(far),
        "inversion_pairs": pairs,
        "refused": outcomes.refusals(facts),
        "estimates": outcomes.estimates(facts),
        "streams": outcomes.streams(facts),
        "outages": [_outage(facts, number) for number in range(len(facts.outages))],
        **latencies(facts, facts.journeys),
        "by_phase": _by_phase(facts),
        "costs": costs(facts),
        "drained_after_s": _drained_after(facts),
        "asked_late_s": _asked_late(facts),
        "series": series(facts),
    }


def latencies(facts: Facts, journeys: Iterable[Journey]) -> dict[str, Any]:
    """Waits and times to first token, by lane and by tenant.

    `wait_s`: until the first admitted call arrived at the simulator. `ttft_s`: until the simulator sent the first
    token of the call that succeeded. `caller_ttft_s`: until a streaming caller held the first text of the final answer.
    Turns that were never answered have no figure here; see `success_share`.
    """
    answered = [journey for journey in journeys if facts.succeeded(journey)]
    return {
        "lanes": _grouped(answered, [(journey.planned.lane, journey) for journey in answered]),
        "tenants": _grouped(answered, [(f"{j.planned.tenant}.{j.planned.lane}", j) for j in answered]),
    }


def _grouped(answered: list[Journey], named: list[tuple[str, Journey]]) -> dict[str, Any]:
    names = sorted({name for name, _ in named})
    groups = {name: [journey for other, journey in named if other == name] for name in names}
    return {name.replace(".", "_"): _figures(group) for name, group in groups.items()} if answered else {}


def _figures(group: list[Journey]) -> dict[str, Any]:
    first = [(journey.success.first_token_at if journey.success else None, journey) for journey in group]
    caller = [(journey.record.first_token_at, journey) for journey in group]
    return {
        "succeeded": len(group),
        "wait_s": spread(journey.started_at - journey.asked_at for journey in group if journey.started_at is not None),
        "ttft_s": spread(at - journey.asked_at for at, journey in first if at is not None),
        "caller_ttft_s": spread(at - journey.asked_at for at, journey in caller if at is not None),
    }


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """p50, p95 and p99; None of nothing."""
    found = list(values)
    return percentiles(found, 50, 95, 99) if found else None


def _by_phase(facts: Facts) -> dict[str, Any]:
    phases = dict.fromkeys(journey.planned.phase for journey in facts.journeys)
    result = {}
    for name in phases:
        members = [journey for journey in facts.journeys if journey.planned.phase == name]
        accepted = [journey for journey in members if journey.accepted]
        answered = sum(facts.succeeded(journey) for journey in members)
        result[name] = {
            "asked": len(members),
            "accepted": len(accepted),
            "succeeded": answered,
            "success_share": outcomes.share(answered, len(members)),
            "quota_share_while_waiting": _quota_share(facts, members),
            "extra_tokens_share": outcomes.extra_tokens_share(members),
            "calls_by_deployment": outcomes.by_deployment(members),
            **latencies(facts, members),
        }
    return result


def _quota_share(facts: Facts, members: list[Journey]) -> float | None:
    """The share of the permitted tokens that a phase's turns were given from their first wait to their last start."""
    chosen = {id(journey) for journey in members}
    waits = [span for span, journey in waiting_spans(facts) if id(journey) in chosen and span[1] - span[0] > 1]
    if not waits:
        return None
    span = (min(begin for begin, _ in waits), max(end for _, end in waits))
    own = [call for journey in members for call in journey.calls]
    return rounded(utilisation(own, span, facts.quota, facts.outages))


def _outage(facts: Facts, number: int) -> dict[str, Any]:
    outage = facts.outages[number]
    after = (outage.ends + 10, outage.ends + 70)
    return {
        "begins": round(outage.begins - facts.began, 1),
        "ends": round(outage.ends - facts.began, 1),
        "permitted_share": outage.permitted_share,
        "calls_per_permitted": rounded(calls_in_outage(facts, outage)),
        "recovery_seconds": recovery_seconds(facts, outage),
        "utilisation_10_s_after": rounded(utilisation(facts.calls, after, facts.quota, facts.outages)),
    }


def _most_admitted(facts: Facts) -> float:
    shares = [
        most_in_window((call.decided_at, call.estimate) for call in facts.calls if call.deployment == name) / limit
        for name, limit in facts.quota.items()
    ]
    return max(shares, default=0.0)


def _drained_after(facts: Facts) -> float:
    return round(max((call.ended_at for call in facts.calls), default=facts.began) - facts.began, 1)


def _asked_late(facts: Facts) -> dict[str, float] | None:
    """How late the generator itself was; what it adds is in all latencies, so it has to stay far below them."""
    first = [journey for journey in facts.journeys if journey.record.sent_at and not journey.record.refused]
    return spread(journey.record.sent_at - journey.asked_at for journey in first)


def series(facts: Facts) -> dict[str, Any]:
    """What the picture shows, in steps: tokens a minute of answered calls, 429s, and by lane who waits and how long."""
    last = max((call.ended_at for call in facts.calls), default=facts.began)
    steps = [facts.began + STEP_SECONDS * number for number in range(int((last - facts.began) / STEP_SECONDS) + 1)]
    per_minute = 60 / STEP_SECONDS
    good = [call for journey in facts.journeys if facts.succeeded(journey) for call in [journey.success] if call]
    spans = waiting_spans(facts)
    lanes = sorted({journey.planned.lane for journey in facts.journeys})
    windows = [(at, at + STEP_SECONDS) for at in steps]
    return {
        "step_seconds": STEP_SECONDS,
        "quota_tokens_per_minute": sum(facts.quota.values()),
        "goodput": [round(used(good, window) * per_minute) for window in windows],
        "refused_calls": [
            sum(call.status == 429 and begin <= call.arrived_at < end for call in facts.calls) for begin, end in windows
        ],
        "waiting": {
            lane: [sum(b <= at < e for (b, e), journey in spans if journey.planned.lane == lane) for at in steps]
            for lane in lanes
        },
        "wait_s": {lane: [_median_wait(facts, lane, window) for window in windows] for lane in lanes},
    }


def _median_wait(facts: Facts, lane: str, window: tuple[float, float]) -> float | None:
    waits = [
        journey.started_at - journey.asked_at
        for journey in facts.journeys
        if journey.planned.lane == lane and journey.started_at and window[0] <= journey.asked_at < window[1]
    ]
    return round(median(waits), 3) if waits else None


def rounded(value: float | None) -> float | None:
    """Four places."""
    return None if value is None else round(value, 4)
