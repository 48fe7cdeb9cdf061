"""Stages add up whatever the clocks do; what two machines measured is joined without comparing their clocks."""

import dataclasses
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from shared.events import TurnMessage
from shared.timelines import stages
from shared.timelines.arrivals import MOST_SECONDS, Arrivals, moment_in, process_age_seconds, stages_before
from shared.timelines.critical_path import critical, least_ms, span_ms
from shared.timelines.join_timelines import completed, continued, told
from shared.timelines.timeline import Timeline, server_timing
from shared.turns import Lane
from tests.unit.samples import a_turn

ROOT = Path(__file__).resolve().parents[3]
NOW = 1_800_000_000.0


class Held:
    """A clock that stands still until a test moves it; its wall clock can be wrong and can step."""

    def __init__(self, wrong: float = 0.0) -> None:
        self.passed, self.wrong = 0.0, wrong

    def now(self) -> float:
        return NOW + self.passed + self.wrong

    def monotonic(self) -> float:
        return 5000.0 + self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


def lengths(form: dict[str, Any]) -> dict[str, float]:
    return {stage["name"]: stage["duration_ms"] for stage in form["stages"]}


def test_stages_add_up_exactly_and_leave_no_gap() -> None:
    clock, draw = Held(), random.Random(7)
    timeline = Timeline.begin(clock)
    for name in stages.STAGES[2:]:
        clock.passed += draw.expovariate(30)
        timeline.mark(name)
    form = timeline.as_dict()

    end = 0.0
    for stage in form["stages"]:
        assert stage["start_ms"] == pytest.approx(end, abs=1e-9)
        end = stage["start_ms"] + stage["duration_ms"]
    assert end == pytest.approx(form["total_ms"], abs=1e-9)
    assert form["total_ms"] == pytest.approx(clock.passed * 1000, abs=0.02)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_step_of_the_wall_clock_moves_nothing(step: float) -> None:
    clock = Held()
    timeline = Timeline.begin(clock)
    clock.passed = 0.1
    clock.wrong = step
    timeline.mark("context")
    clock.passed = 0.3
    timeline.mark("stream", clock.now())

    total = timeline.as_dict()["total_ms"]

    assert lengths(timeline.as_dict())["context"] == pytest.approx(100, abs=0.01)
    assert total <= 300.01


def test_a_stage_that_is_marked_again_grows_and_time_never_runs_backwards() -> None:
    clock = Held()
    timeline = Timeline.begin(clock)
    clock.passed = 0.2
    timeline.mark("store")
    clock.passed = 0.3
    timeline.mark("store")
    timeline.mark("relay", NOW + 0.1)

    assert lengths(timeline.as_dict()) == pytest.approx({"store": 300, "relay": 0}, abs=0.01)
    assert server_timing(timeline.as_dict()) == "store;dur=300.0, relay;dur=0.0"


def test_without_a_clock_the_moment_has_to_be_given() -> None:
    timeline = Timeline(NOW)
    timeline.mark("admission", NOW + 1)

    assert timeline.as_dict()["total_ms"] == 1000
    with pytest.raises(ValueError, match="no clock"):
        timeline.mark("stream")


@dataclasses.dataclass
class Journey:
    """A queued turn, played: what truly happened, on two machines whose wall clocks differ."""

    wrong: float
    copies: int = 0
    truth: dict[str, float] = dataclasses.field(default_factory=dict)

    def play(self) -> dict[str, Any]:
        here, there = Held(), Held(self.wrong)
        mine = Timeline.begin(here)

        def passes(name: str, seconds: float) -> None:
            self.truth[name] = seconds * 1000
            here.passed += seconds
            there.passed += seconds

        passes("validation", 0.002)
        mine.mark("validation")
        passes("admission", 0.003)
        mine.mark("admission")
        turn = a_turn(created_at=mine.started_at, timeline=mine.as_dict(), deferred_until=None)
        passes("store_accept", 0.01)
        mine.mark("store_accept")
        sent_at = here.now()
        passes("enqueue", 0.004)
        mine.mark("enqueue")
        copy = ""
        if self.copies:
            passes("earlier_runs", 0.2)
            sent_at, copy = here.now(), f"r{self.copies}"
            turn = dataclasses.replace(turn, deferred_until=here.now() + 1.5, run=2)
            passes("deferral", 1.5)
        passes("queue", 0.05)
        message = TurnMessage(turn.turn_id, Lane.STANDARD, copy, NOW + 60, sent_at)
        theirs = continued(Timeline.begin(there), turn, message)
        for name, seconds in (("dispatch", 0.006), ("context", 0.05), ("first_token", 0.4), ("stream", 1.2)):
            passes(name, seconds)
            theirs.mark(name)
        news = json.loads(json.dumps(told(theirs, there)))
        passes("relay", 0.012)
        return completed(mine, news, here)


@pytest.mark.parametrize("copies", [0, 1])
def test_with_equal_clocks_every_stage_of_both_machines_is_true(copies: int) -> None:
    journey = Journey(0.0, copies)
    form = journey.play()

    assert lengths(form) == pytest.approx(journey.truth, abs=0.01)
    assert "clamped" not in form
    assert "worker" not in form


@pytest.mark.parametrize("copies", [0, 1])
@pytest.mark.parametrize("wrong", [-300.0, -0.04, -0.005, 0.005, 0.04, 300.0])
def test_a_wrong_clock_moves_time_between_lane_and_relay_only_and_the_sum_stays(wrong: float, copies: int) -> None:
    journey = Journey(wrong, copies)
    form = journey.play()
    found, truth = lengths(form), journey.truth
    unsure = {"queue", "relay", "deferral", "earlier_runs", "enqueue"}

    assert form["total_ms"] == pytest.approx(sum(truth.values()), abs=0.02)
    assert {name: found[name] for name in truth.keys() - unsure} == pytest.approx(
        {name: truth[name] for name in truth.keys() - unsure}, abs=0.01
    )
    assert all(length >= 0 for length in found.values())
    assert all(stage.get("estimated") for stage in form["stages"] if stage["name"] in {"queue", "relay"})
    between = sum(truth.get(name, 0.0) for name in unsure) / 1000
    # A shift that fits between the two machines cannot be seen; one that does not is told.
    assert ("clamped" in form) == (not 0 <= 0.012 - wrong <= between)


def test_a_run_that_put_the_turn_to_sleep_is_one_stage_of_the_whole_and_no_word_comes_twice() -> None:
    clock = Held()
    mine = Timeline.begin(clock)
    clock.passed = 0.005
    mine.mark("admission")
    turn = a_turn(created_at=mine.started_at, timeline=mine.as_dict(), deferred_until=NOW + 2.0, run=2)
    for name in ("dispatch", "context", "prompt"):
        clock.passed += 0.1
        mine.mark(name)
    clock.passed = 0.5
    message = TurnMessage(turn.turn_id, Lane.INTERACTIVE, "r1", NOW + 60, clock.now())
    clock.passed = 2.1
    theirs = continued(Timeline.begin(clock), turn, message)
    clock.passed = 2.4
    theirs.mark("dispatch")
    clock.passed = 3.0
    theirs.mark("stream")
    form = completed(mine, told(theirs, clock), clock)

    assert form["total_ms"] == pytest.approx(3000, abs=0.02)
    assert lengths(form) == pytest.approx(
        {
            "admission": 5,
            "earlier_runs": 495,
            "deferral": 1500,
            "queue": 100,
            "dispatch": 300,
            "stream": 600,
            "relay": 0,
        },
        abs=0.02,
    )
    assert len(form["stages"]) == 7


@pytest.mark.parametrize(("copy", "due"), [("", 2.0), ("s1", 9.0)], ids=["an appointment", "called forward"])
def test_a_turn_that_slept_before_its_first_run_says_so(copy: str, due: float) -> None:
    clock = Held()
    mine = Timeline.begin(clock)
    for name, seconds in (("admission", 0.005), ("store_accept", 0.01)):
        clock.passed += seconds
        mine.mark(name)
    sent_at = clock.now()
    clock.passed += 0.004
    mine.mark("enqueue")
    admitted = {"stages": [{"name": "admission", "duration_ms": 5}]}
    turn = a_turn(created_at=mine.started_at, timeline=admitted, due_at=NOW + due, run=1)
    clock.passed = 2.0
    message = TurnMessage(turn.turn_id, Lane.STANDARD, copy, NOW + 60, clock.now() if copy else sent_at)
    clock.passed = 2.1
    theirs = continued(Timeline.begin(clock), turn, message)
    clock.passed = 3.0
    theirs.mark("stream")
    found = lengths(completed(mine, told(theirs, clock), clock))

    assert sum(found.values()) == pytest.approx(3000, abs=0.02)
    assert "earlier_runs" not in found
    assert found["deferral"] == pytest.approx(1981, abs=101)
    assert found["stream"] == pytest.approx(900, abs=0.01)


def test_a_worker_that_was_quicker_than_the_queue_s_receipt_is_not_counted_twice() -> None:
    here = Held()
    mine = Timeline.begin(here)
    here.passed = 0.1
    mine.mark("enqueue")
    theirs = Timeline.begin(here)
    theirs.started_at -= 0.06
    theirs._anchor -= 0.06
    theirs.notes["worker"] = {"first": 0}
    here.passed = 0.2
    theirs.mark("stream")

    form = completed(mine, told(theirs, here), here)

    assert form["total_ms"] == pytest.approx(200, abs=0.01)
    assert lengths(form)["stream"] == pytest.approx(160, abs=0.01)
    assert lengths(form)["enqueue"] == pytest.approx(40, abs=0.01)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("1800000000", NOW),
        ("1800000000.250", NOW + 0.25),
        ("t=1800000000250", NOW + 0.25),
        ("t=1800000000250000", NOW + 0.25),
        ("", None),
        ("soon", None),
        ("-1800000000", None),
        ("12", None),
        ("1e9", None),
        ("t=18000000002500000000", None),
        ("٣٣٣٣٣٣٣٣٣٣", None),
    ],
)
def test_moments_are_read_in_any_unit_and_nothing_else_is(value: str, moment: float | None) -> None:
    assert moment_in(value) == moment


@pytest.mark.parametrize("late", [-0.001, -60.0, MOST_SECONDS + 0.001, 1e6])
def test_clocks_that_cannot_be_right_are_named_and_left_out(late: float) -> None:
    found, doubted = stages_before({"x-spillway-sent-at": f"{NOW - late:.6f}"}, NOW)

    assert (found, doubted) == ([], ["x-spillway-sent-at"])


def test_a_caller_ahead_of_the_proxy_is_doubted_and_the_proxy_believed() -> None:
    headers = {"x-spillway-sent-at": f"{NOW - 0.1:.6f}", "x-request-start": f"{NOW - 0.2:.6f}"}
    found, doubted = stages_before(headers, NOW)

    assert [stage.name for stage in found] == ["front_end"]
    assert doubted == ["x-spillway-sent-at"]


def test_only_the_first_invocation_is_cold_and_its_start_is_a_stage() -> None:
    clock = Held()
    arrivals = Arrivals(clock)
    first = arrivals.timeline()
    clock.passed = 0.8
    arrivals.started(first)
    second = arrivals.timeline()
    arrivals.started(second)

    assert first.notes["cold_start"]
    assert lengths(first.as_dict()) == pytest.approx({"start": 800}, abs=0.01)
    assert second.as_dict()["stages"] == []
    assert 0 <= (process_age_seconds() or 0) < 1e6


STEPS = [
    {"name": "history", "start_ms": 0, "duration_ms": 20},
    {"name": "profile", "start_ms": 20, "duration_ms": 30},
    {"name": "knowledge", "start_ms": 0, "duration_ms": 120},
    {"name": "embedding", "start_ms": 0, "duration_ms": 40, "part_of": "knowledge"},
    {"name": "search", "start_ms": 40, "duration_ms": 80, "part_of": "knowledge", "needs": ["embedding"]},
]


def test_the_critical_path_is_what_the_turn_waited_for() -> None:
    assert critical(STEPS) == ["knowledge"]
    assert critical(STEPS[:2]) == ["history", "profile"]
    assert critical([]) == []


def test_the_shortest_wait_keeps_what_has_to_follow_and_nothing_else() -> None:
    assert span_ms(STEPS) == 120
    assert least_ms([step for step in STEPS if step["name"] != "knowledge"]) == 120
    assert least_ms(STEPS[:2]) == 30
    assert least_ms([{"name": "a", "start_ms": 0, "duration_ms": 5, "needs": ["a", "b"]}]) == 5


def test_every_stage_is_in_the_reference_and_nothing_else() -> None:
    reference = (ROOT / "docs" / "latency.md").read_text(encoding="utf-8")
    table = reference.partition("## Stages")[2].partition("\n## ")[0]

    assert tuple(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == stages.STAGES
