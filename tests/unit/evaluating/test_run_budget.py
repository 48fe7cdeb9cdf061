"""A run keeps its bounds in all and in each hour."""

import dataclasses

from shared.evaluating.run_budget import BUDGET_SECONDS, calls_allowed, pause_for_budget
from shared.evaluating.runs import EvaluationRun

BEGAN = 1_700_000_000.0
RUN = EvaluationRun("r", "contoso", "n", BEGAN, BEGAN + 86_400, ("relevance",), max_calls_per_hour=200)


def test_an_hour_allows_its_calls_and_what_was_left_of_those_before() -> None:
    assert calls_allowed(RUN, BEGAN) == 200
    assert calls_allowed(RUN, BEGAN + 3_599) == 200
    assert calls_allowed(RUN, BEGAN + 3_600) == 400
    assert calls_allowed(dataclasses.replace(RUN, max_calls=300), BEGAN + 36_000) == 300
    assert calls_allowed(dataclasses.replace(RUN, max_calls_per_hour=None), BEGAN) is None


def pause(run: EvaluationRun, *, calls: int = 4, cost_usd: float = 0.0, patient: bool = True) -> float | None:
    return pause_for_budget(run, calls=calls, cost_usd=cost_usd, patient=patient, now=BEGAN + 600)


def test_an_answer_that_finds_the_hour_used_up_waits_for_the_next_one() -> None:
    full = dataclasses.replace(RUN, calls=180, reserved_calls=20)

    assert pause(full) == 3_000


def test_the_whole_budget_used_up_ends_the_run_once_nothing_is_reserved() -> None:
    over = dataclasses.replace(RUN, calls=200, max_calls=202)

    assert pause(over) is None
    assert pause(dataclasses.replace(over, max_calls_per_hour=None)) is None
    assert pause(dataclasses.replace(over, reserved_calls=2)) == BUDGET_SECONDS
    assert pause(dataclasses.replace(over, reserved_calls=2), patient=False) is None
    assert pause(dataclasses.replace(RUN, cost_usd=0.9, max_cost_usd=1.0), cost_usd=0.2) is None


def test_room_that_came_back_between_the_refusal_and_the_look_is_asked_for_again() -> None:
    settled = dataclasses.replace(RUN, calls=4, max_calls=13, max_calls_per_hour=None)

    assert pause(settled, calls=8) == BUDGET_SECONDS
    assert pause(settled, calls=8, patient=False) == BUDGET_SECONDS
    assert pause(dataclasses.replace(settled, max_cost_usd=1.0), calls=8, cost_usd=0.2) == BUDGET_SECONDS
