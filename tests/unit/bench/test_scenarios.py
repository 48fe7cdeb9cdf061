"""Scenario files and the schedules drawn from them."""

from pathlib import Path
from typing import Any

import pytest

from bench.lab import schedule
from bench.lab.bars import look_up
from bench.lab.facts import Outage, Snapshot
from bench.lab.referee import judge
from bench.lab.scenario import ScenarioError, load, names, parse
from tests.unit.bench.accounts import BEGAN, Account

QUESTIONS = [f"What about {number}?" for number in range(50)]


def document(**changes: Any) -> dict[str, Any]:
    return {
        "title": "A scenario",
        "model": {"answer_tokens": 10, "max_output_tokens": 20},
        "deployments": [{"name": "chat-0", "tokens_per_minute": 1000, "requests_per_minute": 100}],
        "phases": [{"name": "load", "seconds": 60, "rate_per_minute": 600}],
        **changes,
    }


@pytest.mark.parametrize("name", names())
def test_every_scenario_reads_and_its_bars_are_figures_of_a_verdict(name: str) -> None:
    scenario = load(name)
    account = Account(quota=scenario.quota)
    for phase in scenario.phases:
        for lane in phase.lanes:
            for tenant in phase.tenants:
                account.turn(phase.begins, start=phase.begins + 2, lane=lane, tenant=tenant, phase=phase.name)
                account.records[-1].first_token_at = BEGAN + phase.begins + 2
    account.outages = [
        Outage(BEGAN, BEGAN + 9, event.outage.permitted_share) for event in scenario.events if event.outage
    ]
    account.snapshots = [Snapshot(segment.name, BEGAN + segment.begins, {}, {}) for segment in scenario.segments]
    account.snapshots.append(Snapshot("end", BEGAN + 900, {}, {}))

    figures = judge(account.facts(ended=900))

    paths = {path for bar in scenario.bars for path in (bar.what, bar.relative_to) if path}
    conditional = {"utilisation_under_backlog", "inversions_share", "outages.0.recovery_seconds"}
    assert {path for path in paths if look_up(figures, path) is None} - conditional == set()
    assert "lost" in paths


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"phases": [{"name": "load", "seconds": 60, "rate_per_minute": 30_000}]}, "at most 20000"),
        ({"drain_seconds": 1000}, "lasts longer"),
        ({"events": [{"at": 1, "do": "nothing"}]}, "events do"),
        ({"callers": {"modes": {"batch": "shout"}}}, "stream or async"),
        ({"surprise": 1}, "unknown: surprise"),
    ],
)
def test_a_wrong_scenario_is_refused_with_the_reason(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ScenarioError, match=complaint):
        parse("wrong", document(**changes))


def test_a_scenario_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ScenarioError, match="surge"):
        load("no-such")


def test_the_same_seed_gives_the_same_schedule_and_another_one_does_not() -> None:
    one = schedule.draw(parse("a", document()), QUESTIONS)

    assert one == schedule.draw(parse("a", document()), QUESTIONS)
    assert one != schedule.draw(parse("a", document(seed=8)), QUESTIONS)
    assert [planned.at for planned in one] == sorted(planned.at for planned in one)
    assert len({planned.text for planned in one}) == len(one)


def test_arrivals_have_the_rate_and_the_shares_that_were_asked_for() -> None:
    phase = {"name": "load", "seconds": 600, "rate_per_minute": 600, "tenants": {"one": 3, "two": 1}}

    drawn = schedule.draw(parse("a", document(phases=[phase])), QUESTIONS)

    assert len(drawn) == pytest.approx(6000, rel=0.05)
    assert sum(planned.lane == "interactive" for planned in drawn) / len(drawn) == pytest.approx(0.7, abs=0.03)
    assert sum(planned.tenant == "one" for planned in drawn) / len(drawn) == pytest.approx(0.75, abs=0.03)
    assert {planned.mode for planned in drawn if planned.lane == "interactive"} == {"stream"}


def test_fixed_arrivals_keep_their_distance_and_phases_follow_each_other() -> None:
    phases = [
        {"name": "one", "seconds": 3, "rate_per_minute": 60, "arrivals": "fixed"},
        {"name": "two", "seconds": 2, "rate_per_minute": 60, "arrivals": "fixed"},
    ]

    drawn = schedule.draw(parse("a", document(phases=phases)), QUESTIONS)

    assert [(planned.phase, planned.at) for planned in drawn] == [
        ("one", 0.5),
        ("one", 1.5),
        ("one", 2.5),
        ("two", 3.5),
        ("two", 4.5),
    ]


def test_a_schedule_comes_back_from_its_file(tmp_path: Path) -> None:
    drawn = schedule.draw(parse("a", document()), QUESTIONS)
    schedule.write(tmp_path / "schedule.jsonl", drawn)

    assert schedule.read(tmp_path / "schedule.jsonl") == drawn
