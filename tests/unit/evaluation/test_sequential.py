"""Looking after every observation costs no false alarms, and a real change is found soon."""

import random

import pytest

from shared.evaluation.stats.sequential import LEAST_COUNT, Sums, changed


def sums(values: list[float], weight: float = 1.0) -> Sums:
    found = Sums()
    for value in values:
        found = found.plus(value, weight)
    return found


def first_alarm(seed: int, shift: float, looks: int, level: float) -> tuple[int, str]:
    """Looks after every observation; when it was told and what, or (0, "")."""
    draw = random.Random(seed)
    before, after = sums([draw.gauss(4, 1) for _ in range(400)]), Sums()
    for number in range(1, looks + 1):
        after = after.plus(draw.gauss(4 + shift, 1))
        if found := changed(before, after, least_deviation=0, level=level):
            return number, found
    return 0, ""


def test_the_promised_level_holds_over_a_thousand_looks() -> None:
    false = sum(first_alarm(seed, 0, 1_000, 0.05)[1] != "" for seed in range(200))
    assert false <= 15


def test_a_change_of_half_a_deviation_is_found_within_200_observations_and_its_direction_is_right() -> None:
    found = [first_alarm(seed, -0.5, 200, 0.001) for seed in range(20)]
    assert [direction for _, direction in found] == ["fell"] * 20
    assert first_alarm(1, 0.5, 200, 0.001)[1] == "rose"


def test_the_first_failures_of_what_never_failed_are_no_alarm_and_many_are() -> None:
    perfect = sums([1.0] * 500)
    assert changed(perfect, sums([1.0] * 38 + [0.0] * 2), least_deviation=0.1) == ""
    assert changed(perfect, sums([1.0] * 30 + [0.0] * 10), least_deviation=0.1) == "fell"
    assert changed(perfect, perfect, least_deviation=0) == ""


def test_few_observations_say_nothing() -> None:
    assert changed(sums([1.0, 2.0] * 200), sums([9.0] * (LEAST_COUNT - 1)), least_deviation=0) == ""


def test_weights_count_as_the_turns_they_stand_for() -> None:
    mixed = sums([5.0] * 10, 10.0)
    for _ in range(10):
        mixed = mixed.plus(1.0)
    assert mixed.mean == pytest.approx((100 * 5 + 10) / 110)
    assert mixed.effective_count == pytest.approx(110**2 / (10 * 100 + 10))
