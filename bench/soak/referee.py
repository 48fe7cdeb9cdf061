"""The verdict over a soak: each rule is named, has a figure, and a bar for it."""

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any

from bench.lab import outcomes
from bench.lab.outcomes import TERMINAL
from bench.lab.windows import overshoot
from bench.soak import leaks
from bench.soak.evidence import Evidence
from bench.soak.plan import KINDS

EXAMPLES = 10
CLOCK_SECONDS = 60.0
"""A turn may expire by so much too early when the clock of an instance was set forward."""
CLOCK_SHARE = KINDS["clock_jump"].offsets[1] / 60 if KINDS["clock_jump"].offsets else 0.0
"""Instances tell the shared account the time, so one whose clock is off hides as much of a minute's use from it."""


def judge(evidence: Evidence, *, left: Mapping[str, int]) -> dict[str, Any]:
    """All figures and rules. `left`: processes that were still there after the stack was stopped."""
    flat = leaks.judge(evidence.samples)
    broken = violations(evidence)
    broken["processes_left"] = [f"{part} {pid}" for part, pid in left.items()]
    broken["leaks"] = [part for part, found in flat.items() if found["flat"] is False]
    counted = outcomes.counts(evidence.facts)
    return {
        "passed": not any(broken.values()),
        "rules": {name: len(found) for name, found in broken.items()},
        "broken": {name: found[:EXAMPLES] for name, found in broken.items() if found},
        "turns_seen": {
            **{name: counted[name] for name in ("asked", "accepted", "succeeded", "expired", "duplicated", "states")},
            "manners": dict(Counter(visit.manner for visit in evidence.visits)),
            "statuses": _statuses(evidence),
            "restarts_seen": sum(noted.record.restarts for noted in evidence.seen),
            "turns_cut": outcomes.streams(evidence.facts)["turns_cut"],
            "conversations_entries": len(evidence.sessions),
            "most_runs_of_a_turn": max((turn["run"] for turn in evidence.turns), default=0),
        },
        "calls": {
            **outcomes.calls(evidence.facts),
            "evaluation_calls": evidence.evaluation_calls,
            "over_quota_share": round(overshoot(evidence.facts.calls, evidence.facts.quota), 4),
        },
        "dead_letters": dict(Counter(f"{letter['reason']}: {letter['turn_state']}" for letter in evidence.letters)),
        "ends_watched": {"turns": len(evidence.watch.ends), **evidence.watch.looks},
        "load_average": {
            "median": round(median(evidence.loads), 1) if evidence.loads else None,
            "most": round(max(evidence.loads, default=0.0), 1),
        },
        "drained_after_s": evidence.drained_after,
        "faults": {"carried_out": dict(Counter(entry["kind"] for entry in evidence.faults)), "log": evidence.faults},
        "flat": flat,
        "samples": [sample.as_list() for sample in evidence.samples],
        "series": series(evidence),
    }


def violations(evidence: Evidence) -> dict[str, list[str]]:
    """By rule, what breaks it; all are empty after a good soak."""
    return {
        "lost": _lost(evidence),
        "never_told_an_end": _untold(evidence),
        "two_turns_of_one_key": _two_turns(evidence),
        "ended_twice": _ended_twice(evidence),
        "answers_unlike_the_stored": _unlike(evidence),
        "visible_tokens_twice": [
            visit.planned.text
            for visit, noted in zip(evidence.visits, evidence.seen, strict=True)
            if noted.record.repeats
        ],
        "over_quota": _over_quota(evidence),
        "queues_not_drained": _undrained(evidence),
        "orphans": _orphans(evidence),
        "conversations_inconsistent": _conversations(evidence),
        "dead_letters_unexplained": _unexplained(evidence),
        "surprises": list(evidence.surprises),
        "unexpected_refusals": [text for noted in evidence.seen for text in noted.unsaid if not _is_an_end(text)],
    }


def _lost(evidence: Evidence) -> list[str]:
    """Accepted, and at the end not in the store as answered, cancelled by its caller, or expired at its deadline."""
    found = []
    for visit, noted, journey in zip(evidence.visits, evidence.seen, evidence.facts.journeys, strict=True):
        if not journey.accepted or evidence.facts.succeeded(journey):
            continue
        kept = journey.kept
        at_its_deadline = (
            kept is not None and kept.state == "expired" and kept.changed_at + CLOCK_SECONDS >= kept.deadline_at
        )
        by_its_caller = kept is not None and kept.state == "cancelled" and noted.cancelled is not None
        if not at_its_deadline and not by_its_caller:
            found.append(f"{visit.manner} {journey.record.turn_id}: {'not stored' if kept is None else kept.state}")
    return found


def _untold(evidence: Evidence) -> list[str]:
    """Callers who stayed and never heard of an end."""
    return [
        f"{visit.manner} {noted.record.turn_id}: {noted.record.outcome} {dict(noted.statuses)}"
        for visit, noted in zip(evidence.visits, evidence.seen, strict=True)
        if noted.end is None and not (visit.manner == "leave" and noted.record.outcome == "left")
    ]


def _two_turns(evidence: Evidence) -> list[str]:
    """One key, two turns: told to the caller, or stored."""
    told = [f"{visit.key}: {sorted(noted.turn_ids)}" for visit, noted in _both(evidence) if len(noted.turn_ids) > 1]
    stored = [
        f"{journey.planned.text}: stored {len(journey.stored)} times"
        for journey in evidence.facts.journeys
        if len(journey.stored) > 1
    ]
    return told + stored


def _ended_twice(evidence: Evidence) -> list[str]:
    """A turn that was over was seen with another end later, by the watch or by its caller."""
    told = [f"{noted.record.turn_id}: {noted.ends}" for _, noted in _both(evidence) if len(set(noted.ends)) > 1]
    states = {turn["id"]: turn["state"] for turn in evidence.turns}
    unlike = [
        f"{noted.record.turn_id}: told {noted.end}, stored {states.get(noted.record.turn_id or '')}"
        for _, noted in _both(evidence)
        if noted.end is not None and noted.end != states.get(noted.record.turn_id or "")
    ]
    return [*evidence.watch.changed, *told, *unlike]


def _unlike(evidence: Evidence) -> list[str]:
    """The caller holds a whole answer that is not the stored one."""
    answers = {turn["id"]: turn.get("answer") or "" for turn in evidence.turns}
    return [
        f"{visit.manner} {noted.record.turn_id}"
        for visit, noted in _both(evidence)
        if noted.end == "succeeded" and noted.record.text != answers.get(noted.record.turn_id or "")
        if visit.manner not in {"leave", "cancel_streaming"} or noted.cancelled == "succeeded"
    ]


def _over_quota(evidence: Evidence) -> list[str]:
    """More was asked of a deployment in some minute, refused calls included, than wrong clocks explain."""
    over = overshoot(evidence.facts.calls, evidence.facts.quota)
    return [f"{over:.1%} in the worst minute"] if over > CLOCK_SHARE else []


def _undrained(evidence: Evidence) -> list[str]:
    """Messages that wait after everything is over; replies to instances that are gone lapse by themselves."""
    waiting = [
        f"{name}: {queue['messages']}"
        for name, queue in evidence.queues.items()
        if queue["messages"] and "$" not in name and name != "replies"
    ]
    return waiting if evidence.drained_after is not None else [*waiting, "it was never quiet"]


def _unexplained(evidence: Evidence) -> list[str]:
    """Dead letters whose turn is not over, and those of evaluation, which nothing here should bring about."""
    of_turns = [
        f"{letter['turn_id']}: {letter['reason']}"
        for letter in evidence.letters
        if letter["turn_state"] not in TERMINAL
    ]
    others = [
        f"{name}: {queue['messages']}"
        for name, queue in evidence.queues.items()
        if "$" in name and queue["messages"] and not name.startswith("chat-")
    ]
    return of_turns + others


def _orphans(evidence: Evidence) -> list[str]:
    """Turns that are not over, and calls that nobody waits for."""
    open_turns = [f"{turn['id']}: {turn['state']}" for turn in evidence.turns if turn["state"] not in TERMINAL]
    return [*open_turns, *([f"{evidence.in_flight} calls under way"] if evidence.in_flight else [])]


def _conversations(evidence: Evidence) -> list[str]:
    """An answered turn is in its conversation with its answer; no entry says that another turn was answered."""
    entries = {(entry["tenant"], entry["session_id"], entry["id"]): entry for entry in evidence.sessions}
    found = []
    for turn in evidence.turns:
        entry = entries.pop((turn["tenant"], turn["session_id"], turn["id"]), None)
        told = None if entry is None else (entry["state"], entry["answer"])
        if turn["state"] == "succeeded" and told != ("succeeded", turn["answer"]):
            found.append(f"{turn['id']}: answered, in its conversation {_short(told)}")
        elif turn["state"] != "succeeded" and entry is not None and entry["state"] == "succeeded":
            found.append(f"{turn['id']}: {turn['state']}, in its conversation {_short(told)}")
    return found + [f"{key[-1]}: in a conversation, and no turn" for key in entries]


def _short(told: tuple[str, str] | None) -> str:
    return "not at all" if told is None else f"{told[0]} with {len(told[1] or '')} characters"


def _is_an_end(text: str) -> bool:
    """The turn's own end as the answer to the request: failed, expired or cancelled; other rules look at these."""
    return any(f'"{code}"' in text for code in ("cancelled", "deadline_exceeded", "model_failed", "content_filtered"))


def _both(evidence: Evidence) -> Any:
    return zip(evidence.visits, evidence.seen, strict=True)


def _statuses(evidence: Evidence) -> dict[str, int]:
    total = sum((noted.statuses for noted in evidence.seen), Counter[int]())
    return {("no answer" if status == 0 else str(status)): count for status, count in sorted(total.items())}


def series(evidence: Evidence, step_seconds: float = 10.0) -> dict[str, Any]:
    """Turns asked and answered in steps, for the picture."""
    began = evidence.facts.began
    asked, answered = Counter[int](), Counter[int]()
    for journey in evidence.facts.journeys:
        asked[int(journey.planned.at / step_seconds)] += 1
        if evidence.facts.succeeded(journey) and journey.success is not None:
            answered[int((journey.success.ended_at - began) / step_seconds)] += 1
    steps = range(max([*asked, *answered], default=0) + 1)
    return {
        "step_seconds": step_seconds,
        "asked": [asked[step] for step in steps],
        "answered": [answered[step] for step in steps],
    }
