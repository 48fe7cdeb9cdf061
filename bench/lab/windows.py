"""Arithmetic over time: quota, windows of a minute, backlog, outages. Times are seconds since 1970."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bench.lab.facts import Call, Facts, Journey, Outage

MINUTE = 60.0
GRACE_SECONDS = 1.0
"""A turn counts as backlog when it has waited this long; pauses of backlog shorter than this are bridged."""
RECOVERED = 0.95
"""Utilisation of a minute from which an outage counts as overcome."""
MOST_RECOVERY_SECONDS = 60

Span = tuple[float, float]


def most_in_window(amounts: Iterable[tuple[float, int]], seconds: float = MINUTE) -> int:
    """The largest sum of (time, amount) in any window; one that leaves exactly as another comes does not count."""
    ordered = sorted(amounts)
    most = total = first = 0
    for at, amount in ordered:
        total += amount
        while ordered[first][0] + seconds <= at:
            total -= ordered[first][1]
            first += 1
        most = max(most, total)
    return most


def overshoot(calls: Sequence[Call], quota: Mapping[str, int]) -> float:
    """By how much the worst minute of any deployment exceeded its quota in tokens *asked*, as a share; 0 for none.

    Tokens of calls that were refused count as well: the simulator never admits too much, so what is judged is what
    was sent to it. 0.05 means that in some 60 s window 5 % more was asked than the deployment's tokens a minute.
    """
    asked = defaultdict[str, list[tuple[float, int]]](list)
    for call in calls:
        asked[call.deployment].append((call.decided_at, call.asked_tokens))
    shares = [most_in_window(entries) / quota[name] - 1 for name, entries in asked.items() if name in quota]
    return max(0.0, *shares) if shares else 0.0


def permitted_tokens(span: Span, quota: Mapping[str, int], outages: Sequence[Outage]) -> float:
    """What the limits in force permit in a span: the quota, less what outages take away while they last."""
    begin, end = span
    per_second = sum(quota.values()) / MINUTE
    taken = sum(
        max(0.0, min(end, outage.ends) - max(begin, outage.begins)) * (1 - outage.permitted_share) for outage in outages
    )
    return per_second * (end - begin - taken)


def waiting_spans(facts: Facts) -> list[tuple[Span, Journey]]:
    """For every accepted turn, from its intended start until its first admitted call, or until it was given up."""
    found = []
    for journey in facts.journeys:
        if journey.accepted:
            given_up = None if facts.keeps_turns else journey.record.ended_at
            found.append(((journey.asked_at, journey.started_at or given_up or facts.ended), journey))
    return found


def backlog_spans(facts: Facts) -> list[Span]:
    """The maximal spans with backlog.

    There is backlog while at least one accepted turn has been waiting for more than GRACE_SECONDS since its intended
    start and its call has not arrived at the simulator yet. Pauses shorter than GRACE_SECONDS are bridged.
    """
    waits = sorted((begin + GRACE_SECONDS, end) for (begin, end), _ in waiting_spans(facts))
    spans = list[Span]()
    for begin, end in waits:
        if end <= begin:
            continue
        if spans and begin <= spans[-1][1] + GRACE_SECONDS:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return spans


def full_minutes(spans: Sequence[Span]) -> list[Span]:
    """Minutes one after the other from the beginning of each span; what is left at its end is no full minute."""
    return [
        (begin + MINUTE * number, begin + MINUTE * (number + 1))
        for begin, end in spans
        for number in range(int((end - begin) // MINUTE))
    ]


def used(calls: Sequence[Call], span: Span) -> int:
    """Tokens admitted in a span."""
    return sum(call.estimate for call in calls if span[0] <= call.decided_at < span[1])


def utilisation(calls: Sequence[Call], span: Span, quota: Mapping[str, int], outages: Sequence[Outage]) -> float | None:
    """Tokens admitted in a span, as a share of what the limits in force permit; None when they permit nothing."""
    permitted = permitted_tokens(span, quota, outages)
    return used(calls, span) / permitted if permitted > 0 else None


def utilisation_under_backlog(facts: Facts) -> tuple[float | None, list[float]]:
    """The share of the permitted tokens that was admitted in the full minutes with backlog, and minute by minute.

    None when there was no full minute with backlog.
    """
    minutes = full_minutes(backlog_spans(facts))
    permitted = sum(permitted_tokens(minute, facts.quota, facts.outages) for minute in minutes)
    if permitted <= 0:
        return None, []
    by_minute = [utilisation(facts.calls, minute, facts.quota, facts.outages) or 0.0 for minute in minutes]
    return sum(used(facts.calls, minute) for minute in minutes) / permitted, by_minute


def calls_in_outage(facts: Facts, outage: Outage) -> float | None:
    """Calls that arrived during an outage, per call that the limits in force permit.

    Permitted are as many calls of average size as fit into the tokens that the limits permit in that time. Where more
    were admitted, because the window had room from before, those were permitted. So 1.1 means: one in ten was in vain.
    """
    sizes = [call.asked_tokens for call in facts.calls if call.asked_tokens]
    tokens = permitted_tokens((outage.begins, outage.ends), facts.quota, [outage])
    if not sizes or tokens <= 0:
        return None
    arrived = [call for call in facts.calls if outage.begins <= call.arrived_at < outage.ends]
    permitted = tokens / (sum(sizes) / len(sizes))
    return len(arrived) / max(permitted, sum(call.admitted for call in arrived))


def recovery_seconds(facts: Facts, outage: Outage) -> int | None:
    """Seconds after an outage's end from which a whole minute reaches RECOVERED; at least 0, in steps of one.

    None when no such minute begins within MOST_RECOVERY_SECONDS while there is backlog to its end: then it was not
    reached, or there was nothing left to reach it with.
    """
    covered = [end for begin, end in backlog_spans(facts) if begin <= outage.ends + GRACE_SECONDS]
    last = max(covered, default=0.0)
    for delay in range(MOST_RECOVERY_SECONDS + 1):
        span = (outage.ends + delay, outage.ends + delay + MINUTE)
        if span[1] > last:
            return None
        if (utilisation(facts.calls, span, facts.quota, facts.outages) or 0.0) >= RECOVERED:
            return delay
    return None
