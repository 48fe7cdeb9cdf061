"""The soak's referee: a good soak breaks no rule, and every fault in the evidence is found by the rule for it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.lab.facts import Call, Facts, Stored
from bench.lab.record import Record
from bench.soak.callers import Seen
from bench.soak.evidence import Evidence, surprises
from bench.soak.referee import judge
from bench.soak.traffic import Visit, draw
from bench.soak.watch import Watch

BEGAN = 1000.0


def evidence() -> Evidence:
    """Ten turns in which all went well; one of them was cancelled."""
    visits = [
        Visit(visit.planned, "cancel_early" if number == 3 else "poll", "talk")
        for number, visit in enumerate(draw(1, 60, 30, ["Why?"])[:10])
    ]
    seen, calls, stored, turns, sessions = [], [], [], [], []
    for visit in visits:
        at, name = BEGAN + visit.planned.at, f"t{visit.planned.number}"
        state = "cancelled" if visit.manner == "cancel_early" else "succeeded"
        answer = "yes" if state == "succeeded" else ""
        record = Record(visit.planned.number, sent_at=at, accepted_at=at, turn_id=name, outcome=state, text=answer)
        seen.append(Seen(record, {name}, state, [state], state if state == "cancelled" else None))
        outcome = "succeeded" if answer else "client_closed"
        calls.append(Call(at, at, at + 1, "chat-0", 300, 300, 200, outcome, at, visit.planned.digest))
        stored.append(Stored(name, visit.planned.text, state, answer, at + 300, at + 1))
        common = {"id": name, "tenant": visit.planned.tenant, "session_id": "talk", "state": state, "answer": answer}
        turns.append({**common, "run": 1})
        sessions.append(common)
    planned, records = [visit.planned for visit in visits], [noted.record for noted in seen]
    stack: Any = None
    return Evidence(
        facts=Facts(BEGAN, BEGAN + 100, {"chat-0": 60_000}, planned, records, calls, stored, keeps_turns=True),
        visits=visits,
        seen=seen,
        turns=turns,
        sessions=sessions,
        queues={
            "chat-batch": {"messages": 0},
            "replies": {"messages": 3},
            "evaluations/$deadletterqueue": {"messages": 0},
        },
        letters=[{"turn_id": "t3", "reason": "MaxDeliveryCountExceeded", "turn_state": "cancelled"}],
        capacity=[],
        in_flight=0,
        drained_after=1.0,
        samples=[],
        loads=[1.0, 3.0],
        faults=[],
        watch=Watch(stack),
        evaluation_calls=0,
    )


def with_stored(found: Evidence, number: int, **changes: Any) -> Evidence:
    """The same with one turn stored otherwise."""
    stored = [dataclasses.replace(one, **changes) if n == number else one for n, one in enumerate(found.facts.stored)]
    facts = found.facts
    return dataclasses.replace(
        found,
        facts=Facts(
            BEGAN, facts.ended, facts.quota, facts.planned, facts.records, facts.calls, stored, keeps_turns=True
        ),
    )


def lost(found: Evidence) -> Evidence:
    return with_stored(found, 5, state="failed")


def expired_too_early(found: Evidence) -> Evidence:
    return with_stored(found, 5, state="expired")


def cancelled_by_nobody(found: Evidence) -> Evidence:
    return with_stored(found, 5, state="cancelled")


def untold(found: Evidence) -> Evidence:
    found.seen[2].end = None
    return found


def two_turns(found: Evidence) -> Evidence:
    found.seen[2].turn_ids.add("another")
    return found


def changed(found: Evidence) -> Evidence:
    for answer in ("yes", "no"):
        found.watch.note({"id": "t1", "state": "succeeded", "answer": answer})
    return found


def told_otherwise(found: Evidence) -> Evidence:
    found.seen[1].end = "failed"
    return found


def unlike(found: Evidence) -> Evidence:
    found.seen[1].record.text = "yes yes"
    return found


def twice(found: Evidence) -> Evidence:
    found.seen[1].record.repeats = 1
    return found


def over_quota(found: Evidence) -> Evidence:
    facts = found.facts
    return dataclasses.replace(found, facts=dataclasses.replace(facts, quota={"chat-0": 1900}))


def undrained(found: Evidence) -> Evidence:
    return dataclasses.replace(found, queues={"chat-batch": {"messages": 1}})


def never_quiet(found: Evidence) -> Evidence:
    return dataclasses.replace(found, drained_after=None)


def orphan(found: Evidence) -> Evidence:
    found.turns[4]["state"] = "running"
    found.seen[4].end = "running"
    return found


def still_calling(found: Evidence) -> Evidence:
    return dataclasses.replace(found, in_flight=2)


def not_in_its_conversation(found: Evidence) -> Evidence:
    return dataclasses.replace(found, sessions=found.sessions[1:])


def answered_though_cancelled(found: Evidence) -> Evidence:
    sessions = [{**entry, "state": "succeeded", "answer": "yes"} for entry in found.sessions]
    return dataclasses.replace(found, sessions=sessions)


def unexplained(found: Evidence) -> Evidence:
    return dataclasses.replace(found, letters=[{"turn_id": "t1", "reason": "r", "turn_state": None}])


def letters_of_evaluation(found: Evidence) -> Evidence:
    return dataclasses.replace(found, queues={"evaluations/$deadletterqueue": {"messages": 1}})


def refused(found: Evidence) -> Evidence:
    found.seen[0].unsaid.append('500 {"error": {"code": "internal_error"}}')
    return found


def surprised(found: Evidence) -> Evidence:
    return dataclasses.replace(found, surprises=["ERROR spillway: break_relay destination=http-1"])


FAULTS: dict[Callable[[Evidence], Evidence], set[str]] = {
    lost: {"lost"},
    expired_too_early: {"lost"},
    cancelled_by_nobody: {"lost"},
    untold: {"never_told_an_end"},
    two_turns: {"two_turns_of_one_key"},
    changed: {"ended_twice"},
    told_otherwise: {"ended_twice"},
    unlike: {"answers_unlike_the_stored"},
    twice: {"visible_tokens_twice"},
    over_quota: {"over_quota"},
    undrained: {"queues_not_drained"},
    never_quiet: {"queues_not_drained"},
    orphan: {"orphans", "conversations_inconsistent"},
    still_calling: {"orphans"},
    not_in_its_conversation: {"conversations_inconsistent"},
    answered_though_cancelled: {"conversations_inconsistent"},
    unexplained: {"dead_letters_unexplained"},
    letters_of_evaluation: {"dead_letters_unexplained"},
    refused: {"unexpected_refusals"},
    surprised: {"surprises"},
}


def broken(found: Evidence, **left: int) -> set[str]:
    result = judge(found, left=left)
    assert result["passed"] == (not result["broken"])
    return set(result["broken"])


def test_a_good_soak_breaks_no_rule() -> None:
    assert broken(evidence()) == set()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_found_by_the_rule_for_it(fault: Callable[[Evidence], Evidence]) -> None:
    assert broken(fault(evidence())) - {"conversations_inconsistent"} == FAULTS[fault] - {"conversations_inconsistent"}
    assert FAULTS[fault] <= broken(fault(evidence()))


def test_of_the_log_only_what_nobody_expected_counts(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(
        "2026-01-01 10:00:00,000 http-1 WARNING spillway: fail_store operation=take fault=TimeoutError\n"
        "2026-01-01 10:00:01,000 http-1 ERROR   spillway: break_relay destination=http-2\n"
        "OverflowError: (34, 'Numerical result out of range')\n"
        "2026-01-01 10:00:02,000 http-1 ERROR   asyncio: Task exception was never retrieved\n"
    )

    assert [line[24:] for line in surprises(log)] == [
        "http-1 ERROR   spillway: break_relay destination=http-2",
        "http-1 ERROR   asyncio: Task exception was never retrieved",
    ]


def test_a_process_that_is_left_is_found() -> None:
    assert broken(evidence(), model=7) == {"processes_left"}
