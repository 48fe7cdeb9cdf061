"""A run keeps its bounds in all and in each hour."""

import dataclasses

from shared.evaluating.run_budget import calls_allowed, waits_for_next_hour
from shared.evaluating.runs import EvaluationRun

BEGAN = 1_700_000_000.0
RUN = EvaluationRun("r", "contoso", "n", BEGAN, BEGAN + 86_400, ("relevance",), max_calls_per_hour=200)


def test_an_hour_allows_its_calls_and_what_was_left_of_those_before() -> None:
    assert calls_allowed(RUN, BEGAN) == 200
    assert calls_allowed(RUN, BEGAN + 3_599) == 200
    assert calls_allowed(RUN, BEGAN + 3_600) == 400
    assert calls_allowed(dataclasses.replace(RUN, max_calls=300), BEGAN + 36_000) == 300
    assert calls_allowed(dataclasses.replace(RUN, max_calls_per_hour=None), BEGAN) is None


def test_an_answer_that_finds_the_hour_used_up_waits_for_the_next_one() -> None:
    full = dataclasses.replace(RUN, calls=180, reserved_calls=20)

    assert waits_for_next_hour(full, 4, BEGAN + 600) == 3_000
    assert waits_for_next_hour(RUN, 4, BEGAN + 600) is None


def test_waiting_is_of_no_use_when_the_whole_budget_is_used_up() -> None:
    over = dataclasses.replace(RUN, calls=200, max_calls=202)

    assert waits_for_next_hour(over, 4, BEGAN + 600) is None
    assert waits_for_next_hour(dataclasses.replace(over, max_calls_per_hour=None), 4, BEGAN) is None
