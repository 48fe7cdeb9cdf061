"""Inversions on hand-made accounts."""

import random

import pytest

from bench.lab.order import inversions, neighbours
from tests.unit.bench.accounts import Account


def test_first_come_first_served_has_no_inversions() -> None:
    account = Account()
    for at in range(20):
        account.turn(at, start=100 + at)

    assert inversions(account.facts().journeys) == (0.0, 19)


def test_a_turn_that_overtakes_its_neighbour_is_one_inversion() -> None:
    account = Account()
    for at, start in enumerate([10, 12, 11, 13]):
        account.turn(at, start=start)

    assert inversions(account.facts().journeys) == (pytest.approx(1 / 3), 3)


def test_a_random_order_has_about_half() -> None:
    account = Account()
    starts = random.Random(7).sample(range(1000, 5000), 2000)
    for at, start in enumerate(starts):
        account.turn(at, start=start)

    share, _ = inversions(account.facts().journeys)

    assert share == pytest.approx(0.5, abs=0.05)


def test_lanes_and_tenants_have_lines_of_their_own() -> None:
    account = Account()
    account.turn(0, start=9, lane="batch")
    account.turn(1, start=2, lane="interactive")
    account.turn(2, start=3, lane="batch", tenant="fabrikam")

    assert inversions(account.facts().journeys) == (None, 0)


def test_turns_whose_requests_overlap_are_no_neighbours() -> None:
    account = Account()
    account.turn(0, start=9)
    account.turn(0.05, start=5)
    account.turn(1, start=8)

    pairs = [(first.planned.number, second.planned.number) for first, second in neighbours(account.facts().journeys)]

    assert pairs == [(1, 2)]


def test_small_inversions_can_be_left_out() -> None:
    account = Account()
    for at, start in enumerate([10.0, 9.5, 8.0]):
        account.turn(at, start=start)

    assert inversions(account.facts().journeys, by_more_than_seconds=1.0) == (0.5, 2)


def test_the_order_is_that_of_acceptance_when_a_refused_caller_comes_back() -> None:
    account = Account()
    account.turn(0, start=8, sent_at=1005.0, accepted_at=1005.1)
    account.turn(1, start=7)

    assert inversions(account.facts().journeys) == (0.0, 1)
