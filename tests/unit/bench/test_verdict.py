"""Arms, bars, costs, the whole verdict, its report and its picture."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from bench.lab import picture, report
from bench.lab.arms.frame import Orders, play
from bench.lab.arms.spillway import Reading
from bench.lab.bars import check
from bench.lab.costs import costs
from bench.lab.facts import Snapshot
from bench.lab.record import Record
from bench.lab.referee import judge
from bench.lab.scenario import Bar
from bench.lab.schedule import Planned
from tests.unit.bench.accounts import BEGAN, Account


def orders(**changes: Any) -> Orders:
    values: dict[str, Any] = dict.fromkeys(Orders.__dataclass_fields__, "")
    return Orders(**{**values, "patience_seconds": 60.0, "stop_seconds": 60.0, **changes})


async def test_a_slow_answer_does_not_delay_the_questions_after_it() -> None:
    """Open loop: all are asked though none was answered, and latency counts from the intended moment."""
    planned = [Planned(number, "load", "contoso", "batch", "async", 0.0, str(number)) for number in range(20)]
    records = [Record(number) for number in range(20)]
    everybody = asyncio.Barrier(20)

    async def ask(_planned: Planned, made: Record) -> None:
        await everybody.wait()
        made.outcome = "done"

    await play(planned, records, ask, start=time.time(), orders=orders())

    assert {made.outcome for made in records} == {"done"}


async def test_what_goes_wrong_is_the_outcome_of_its_turn_alone_and_time_is_bounded() -> None:
    planned = [Planned(number, "load", "contoso", "batch", "async", 0.0, str(number)) for number in range(3)]
    records = [Record(number) for number in range(3)]

    async def ask(planned: Planned, made: Record) -> None:
        if planned.number == 0:
            raise ConnectionError
        if planned.number == 1:
            await asyncio.Event().wait()
        made.outcome = "done"

    await play(planned, records, ask, start=time.time(), orders=orders(stop_seconds=0.2))

    assert [made.outcome for made in records] == ["ConnectionError", "stopped", "done"]
    assert all(made.ended_at is not None for made in records)


def test_bars_hold_ratios_and_fail_what_was_not_measured() -> None:
    figures = {"lost": 0, "wait": {"p95": 3.0}, "alone": {"p95": 2.0}, "list": [{"x": 1}]}
    bars = [
        Bar("lost", at_most=0),
        Bar("wait.p95", at_most=1.4, relative_to="alone.p95"),
        Bar("wait.p95", at_most=1.5, relative_to="alone.p95"),
        Bar("list.0.x", at_least=1),
        Bar("absent", at_most=1),
        Bar("wait.p95", at_most=9, relative_to="lost"),
    ]

    assert [entry.passed for entry in check(bars, figures)] == [True, False, True, True, False, False]


def test_costs_are_per_success_of_the_segment_in_which_it_was_asked() -> None:
    def broker(sent: int, locked: float) -> dict[str, Any]:
        return {
            "chat-standard": {
                "operations": {"sent": sent, "scheduled": sent, "completed": 2},
                "locked_seconds": locked,
            },
            "replies": {"operations": {"sent": 2 * sent}, "locked_seconds": 99.0},
        }

    account = Account()
    account.turn(0, start=1)
    account.turn(10, start=11)
    account.turn(11, start=12)
    account.snapshots = [
        Snapshot("one", BEGAN, broker(0, 0.0), {"request_charge": 0.0}),
        Snapshot("two", BEGAN + 5, broker(1, 2.0), {"request_charge": 30.0}),
        Snapshot("end", BEGAN + 50, broker(7, 5.0), {"request_charge": 50.0}),
    ]

    assert costs(account.facts()) == {
        "one": {
            "succeeded": 1,
            "worker_slot_seconds_per_success": 2.0,
            "bus_operations_per_success": 1.0,
            "relay_operations_per_success": 2.0,
            "store_charge_per_success": 30.0,
        },
        "two": {
            "succeeded": 2,
            "worker_slot_seconds_per_success": 1.5,
            "bus_operations_per_success": 3.0,
            "relay_operations_per_success": 6.0,
            "store_charge_per_success": 10.0,
        },
    }


def test_latencies_count_from_the_intended_start() -> None:
    account = Account()
    account.turn(10, start=14, lane="interactive", sent_at=BEGAN + 12)
    account.records[0].first_token_at = BEGAN + 14.5

    figures = judge(account.facts())["lanes"]["interactive"]

    assert [figures[name]["p95"] for name in ("wait_s", "ttft_s", "caller_ttft_s")] == [4.0, 4.2, 4.5]
    assert judge(account.facts())["asked_late_s"] == {"p50": 2.0, "p95": 2.0, "p99": 2.0}


def test_a_caller_drops_what_came_before_a_restart_and_counts_what_came_twice() -> None:
    made = Record(0)
    reading = Reading(made)
    told = [
        (1, "queued", {"expected_wait_seconds": 3.0}),
        (4, "delta", {"text": "old "}),
        (10, "restart", {}),
        (14, "delta", {"text": "new "}),
        (14, "delta", {"text": "new "}),
        (17, "delta", {"text": "end"}),
        (18, "done", {}),
    ]
    for event in told:
        reading._take(*event)

    assert (made.text, made.restarts, made.repeats) == ("new new end", 1, 1)
    assert (made.outcome, made.expected_wait_seconds, reading.over, reading.last_id) == ("done", 3.0, True, 18)


def test_the_picture_is_drawn_for_every_arm(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    account = Account()
    account.turn(0, start=40, lane="interactive")
    account.call(3, number=0, status=429)
    figures = judge(account.facts())

    picture.draw(tmp_path / "small.svg", {"arms": {"spillway": figures, "litellm": figures}})

    drawn = (tmp_path / "small.svg").read_text()
    assert all(text in drawn for text in ("Spillway: 100% answered, 1 calls refused", "LiteLLM", "turns waiting"))


def test_the_last_minute_is_what_a_quota_is_held_against() -> None:
    rates = [600.0] * 45

    sums = picture.last_minute({"step_seconds": 2.0, "goodput": rates})

    assert (sums[0], sums[14], sums[29], sums[44]) == (20.0, 300.0, 600.0, 600.0)


def test_the_report_says_what_was_measured_and_which_bars_were_missed() -> None:
    account = Account()
    account.turn(0, start=1)
    figures = judge(account.facts())
    machine = dict.fromkeys(("processor", "memory_gib", "python", "load_average_at_start", "commit", "at"), "x")
    result = {
        "scenario": "small",
        "title": "One turn",
        "machine": {**machine, "cores": 2},
        "seed": 7,
        "scale": 0.5,
        "texts": "own",
        "turns": 1,
        "quota_tokens_per_minute": {"chat-0": 6000},
        "arms": {"spillway": figures},
        "bars": [entry.as_dict() for entry in check([Bar("lost", at_most=0), Bar("calls", at_least=2)], figures)],
    }

    text = report.text(result)

    assert "| accepted and lost | 0 |" in text
    assert "| `lost` | ≤ 0 | 0 | yes |" in text
    assert "| `calls` | ≥ 2 | 1 | **no** |" in text
    assert "all durations times 0.5" in text
