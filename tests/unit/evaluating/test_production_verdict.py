"""The rolling verdict on production says what a launch's verdict would."""

from typing import Any

from shared.evaluating.production_verdict import GATES, production_verdict

SINCE = 1_000.0


def hours(**rates: float) -> list[dict[str, Any]]:
    """Two hours of each evaluator; the first stands for many more turns."""
    return [
        {
            "evaluator": gate.evaluator,
            "pass_rate": rates.get(gate.evaluator, 1.0),
            "turns": turns,
            "scored": 150,
            "skipped": 0,
            "judge_errors": 0,
            "effective_count": 150.0,
        }
        for gate in GATES
        for turns in (3_000, 1_000)
    ]


def a_stream(**fields: Any) -> dict[str, Any]:
    names = {"evaluator": "groundedness", "deployment": "chat-0", "prompt_version": "v2"}
    before = {"deployment": "chat-0", "prompt_version": "v1", "mean": 4.5}
    return {**names, "before": before, "version_change": None, "alarms": [], **fields}


def test_good_days_are_go_and_days_without_samples_are_hold() -> None:
    assert production_verdict(hours(), [], since=SINCE) == {"decision": "GO", "reasons": []}

    nothing = production_verdict([], [], since=SINCE)
    assert nothing["decision"] == "HOLD"
    assert nothing["reasons"][0] == "harmful answers: nothing was scored; needs 100 more items"


def test_harm_is_no_go_and_weak_answers_are_hold() -> None:
    harmful = production_verdict(hours(safety=0.9), [], since=SINCE)
    weak = production_verdict(hours(groundedness=0.7), [], since=SINCE)

    assert harmful["decision"] == "NO-GO"
    assert harmful["reasons"][0].startswith("harmful answers: 10.0 % (between ")
    assert (weak["decision"], len(weak["reasons"])) == ("HOLD", 1)


def test_hours_count_by_the_turns_they_stand_for() -> None:
    mixed = hours(groundedness=0.0)
    mixed[6] = {**mixed[6], "pass_rate": 1.0}

    (reason,) = production_verdict(mixed, [], since=SINCE)["reasons"]
    assert reason.startswith("grounded answers: 75.0 % (between ")


def test_a_version_that_is_worse_than_the_one_before_is_no_go_until_the_telling_is_over() -> None:
    change = {"at": SINCE + 5, "direction": "fell", "worse": True, "scores": 90}
    told = production_verdict(hours(), [a_stream(version_change=change)], since=SINCE)

    assert told["decision"] == "NO-GO"
    assert told["reasons"] == ["groundedness of chat-0: worse with instructions v2 than with v1"]
    assert production_verdict(hours(), [a_stream(version_change=change)], since=SINCE + 9)["decision"] == "GO"
    assert (
        production_verdict(hours(), [a_stream(version_change=change | {"worse": False})], since=0)["decision"] == "GO"
    )


def test_drift_for_the_worse_is_hold_and_for_the_better_is_not() -> None:
    fell = a_stream(alarms=[{"at": SINCE + 5, "direction": "fell"}])
    cheaper = a_stream(evaluator="cost", alarms=[{"at": SINCE + 5, "direction": "fell"}])

    assert production_verdict(hours(), [fell], since=SINCE)["decision"] == "HOLD"
    assert production_verdict(hours(), [cheaper], since=SINCE)["decision"] == "GO"
