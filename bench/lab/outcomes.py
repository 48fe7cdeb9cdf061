"""What became of the turns: lost, answered twice, honestly refused, cut and begun anew."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench.lab.facts import Facts, Journey
from bench.lab.record import Record
from bench.machine import percentiles

TOLERANCE_SECONDS, TOLERANCE_SHARE = 5.0, 0.25
TAKEN = 200
TERMINAL = {"succeeded", "failed", "expired", "cancelled"}
LEFT = "client_closed"
CUT = {"client_closed", "cut", "stopped", "stalled"}


def counts(facts: Facts) -> dict[str, Any]:
    """How many turns came to which end.

    `lost`: accepted, and at the end neither answered, nor cancelled, nor expired at its deadline. A turn is answered
    when the simulator's account has a call for it that succeeded *and* the store has it as succeeded; for an arm
    without a store, when its caller has the whole answer. `unfinished`: those of the lost that the store still holds
    open, so that more time might have helped. `duplicated`: more than one call succeeded for it.
    """
    accepted = [journey for journey in facts.journeys if journey.accepted]
    answered = [journey for journey in facts.journeys if facts.succeeded(journey)]
    states = Counter(journey.kept.state for journey in accepted if journey.kept is not None)
    return {
        "asked": len(facts.journeys),
        "accepted": len(accepted),
        "succeeded": len(answered),
        "success_share": share(len(answered), len(facts.journeys)),
        "expired": states["expired"],
        "lost": sum(not facts.succeeded(journey) and not _told(journey) for journey in accepted),
        "unfinished": sum(count for state, count in states.items() if state not in TERMINAL),
        "duplicated": sum(sum(call.succeeded for call in journey.calls) > 1 for journey in facts.journeys),
        "outcomes": dict(Counter(journey.record.outcome for journey in facts.journeys).most_common()),
        **({"states": dict(states)} if facts.keeps_turns else {}),
    }


def _told(journey: Journey) -> bool:
    """Its end was the caller's own will, or the deadline that the caller knew of."""
    kept = journey.kept
    if kept is None or kept.state not in {"expired", "cancelled"}:
        return False
    return kept.state == "cancelled" or kept.changed_at + 1 >= kept.deadline_at


def calls(facts: Facts) -> dict[str, Any]:
    """Calls and what they were good for."""
    answered = sum(facts.succeeded(journey) for journey in facts.journeys)
    refused = sum(call.status == 429 for call in facts.calls)
    return {
        "calls": len(facts.calls),
        "wasted_calls": len(facts.calls) - answered,
        "calls_per_success": None if not answered else round(len(facts.calls) / answered, 4),
        "calls_429": refused,
        "share_429": share(refused, len(facts.calls)),
        "call_outcomes": dict(Counter(call.outcome for call in facts.calls).most_common()),
    }


def extra_tokens_share(journeys: Iterable[Journey]) -> float | None:
    """Tokens charged for calls that this side closed, of all that were charged; None when none were.

    What is charged is what the quota counts at admission: prompt and the most that may be answered. A call that is
    closed before its first token costs less money than that, but as much of the quota.
    """
    admitted = [call for journey in journeys for call in journey.calls if call.admitted]
    return share(
        sum(call.estimate for call in admitted if call.outcome == LEFT), sum(call.estimate for call in admitted)
    )


def by_deployment(journeys: Iterable[Journey]) -> dict[str, int]:
    """How many calls each deployment had."""
    return dict(sorted(Counter(call.deployment for journey in journeys for call in journey.calls).items()))


def refusals(facts: Facts) -> dict[str, Any]:
    """Whether refusals for want of capacity (429) were honest: whoever came back when Retry-After was over was taken.

    `came_back`: tries after such a refusal that were taken or refused with 429 again; the latter are `dishonest`, and
    `honest_share` is that of the former. `unavailable`: refusals for a fault (503), whose Retry-After is no forecast.
    `without_retry_after`: refusals of both kinds that do not say when to come back.
    """
    refused = [journey.record for journey in facts.journeys if journey.record.refused]
    followed = [pair for record in refused for pair in _followed(record)]
    came_back = [following for status, following in followed if status == 429 and following in {TAKEN, 429}]
    taken = came_back.count(TAKEN)
    statuses = [status for record in refused for status, _, _ in record.refused]
    return {
        "refusals": statuses.count(429),
        "unavailable": statuses.count(503),
        "refused_turns": len(refused),
        "without_retry_after": sum(wait is None for record in refused for _, _, wait in record.refused),
        "came_back": len(came_back),
        "dishonest": len(came_back) - taken,
        "honest_share": share(taken, len(came_back)),
        "refused_for_good": sum(record.accepted_at is None for record in refused),
    }


def _followed(record: Record) -> list[tuple[int, int | None]]:
    """Of each refusal its status and that of the try after it: TAKEN when that was taken, None when there was none."""
    statuses = [status for status, _, _ in record.refused]
    last = None if record.accepted_at is None else TAKEN
    return list(zip(statuses, [*statuses[1:], last], strict=True))


def estimates(facts: Facts) -> dict[str, Any]:
    """How far off the waits were that callers had been told.

    The error is the wait from acceptance to the first admitted call, less what was told. `within_share`: turns with an
    error of at most TOLERANCE_SECONDS or TOLERANCE_SHARE of the real wait, whichever is more.
    """
    told = [
        (journey.started_at - journey.record.accepted_at, journey.record.expected_wait_seconds)
        for journey in facts.journeys
        if journey.started_at and journey.record.accepted_at and journey.record.expected_wait_seconds is not None
    ]
    errors = [abs(real - said) for real, said in told]
    good = sum(abs(real - said) <= max(TOLERANCE_SECONDS, TOLERANCE_SHARE * real) for real, said in told)
    return {
        "told": len(told),
        "error_s": percentiles(errors, 50, 95, 99) if errors else None,
        "within_share": share(good, len(told)),
    }


def streams(facts: Facts) -> dict[str, Any]:
    """What streaming callers saw of restarts.

    `duplicate_visible_tokens`: pieces of text that came again or out of order by their event ids, and for every answer
    that is not the stored one, the words it has too many, at least one. `turns_cut`: turns of which a call ended after
    its first token and before its last.
    """
    seen = [journey for journey in facts.journeys if journey.planned.mode == "stream"]
    done = [(journey.record.text, journey.kept.answer) for journey in seen if _done(journey) and journey.kept]
    unlike = [(text, answer) for text, answer in done if text != answer]
    repeats = sum(journey.record.repeats for journey in seen)
    excess = sum(max(1, len(text.split()) - len(answer.split())) for text, answer in unlike)
    return {
        "turns_cut": sum(
            any(call.outcome in CUT and call.first_token_at is not None for call in journey.calls)
            for journey in facts.journeys
        ),
        "restarts_seen": sum(journey.record.restarts for journey in seen),
        "answers_compared": len(done),
        "answers_unlike_the_stored": len(unlike),
        "duplicate_visible_tokens": repeats + excess if facts.keeps_turns else None,
    }


def _done(journey: Journey) -> bool:
    return journey.record.outcome == "done"


def share(part: int, whole: int) -> float | None:
    """A share to four places; None of nothing."""
    return round(part / whole, 4) if whole else None
