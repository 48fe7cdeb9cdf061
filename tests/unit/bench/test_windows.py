"""The referee's arithmetic over time on hand-made accounts: overshoot, backlog, utilisation, outages."""

import pytest

from bench.lab.facts import Outage
from bench.lab.windows import (
    backlog_spans,
    calls_in_outage,
    full_minutes,
    most_in_window,
    overshoot,
    permitted_tokens,
    recovery_seconds,
    utilisation_under_backlog,
)
from tests.unit.bench.accounts import BEGAN, Account


def relative(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(round(begin - BEGAN, 3), round(end - BEGAN, 3)) for begin, end in spans]


def test_a_window_is_sliding_and_open_at_its_end() -> None:
    assert most_in_window([(0.0, 5), (59.9, 5), (60.0, 5), (119.8, 5)]) == 15
    assert most_in_window([(0.0, 5), (60.0, 5)]) == 5
    assert most_in_window([]) == 0


def test_overshoot_counts_what_was_asked_and_refused_and_takes_the_worst_deployment() -> None:
    account = Account(quota={"chat-0": 1000, "chat-1": 1000})
    for at in range(10):
        account.call(at, deployment="chat-0")
    account.call(0, deployment="chat-1", tokens=900)
    account.call(30, deployment="chat-1", tokens=600, status=429, outcome="quota_429")

    assert overshoot(account.facts().calls, account.quota) == pytest.approx(0.5)
    assert overshoot(account.facts().calls[:10], account.quota) == 0.0


def test_there_is_no_backlog_while_turns_start_within_the_grace() -> None:
    account = Account()
    for at in range(100):
        account.turn(at / 10, start=at / 10 + 0.9)

    assert backlog_spans(account.facts()) == []
    assert utilisation_under_backlog(account.facts()) == (None, [])


def test_backlog_lasts_from_the_first_late_turn_to_the_last_start_and_bridges_short_pauses() -> None:
    account = Account()
    account.turn(0, start=10)
    account.turn(9.5, start=20)
    account.turn(21.5, start=30)

    assert relative(backlog_spans(account.facts())) == [(1.0, 20.0), (22.5, 30.0)]


def test_a_turn_that_never_starts_is_backlog_to_the_end() -> None:
    account = Account()
    account.turn(0)

    assert relative(backlog_spans(account.facts(ended=50))) == [(1.0, 50.0)]


def test_a_refused_turn_is_no_backlog() -> None:
    account = Account()
    account.turn(0, accepted_at=None, outcome="refused")

    assert backlog_spans(account.facts()) == []


def test_only_whole_minutes_inside_the_backlog_count() -> None:
    assert full_minutes([(0.0, 150.0), (200.0, 259.0)]) == [(0.0, 60.0), (60.0, 120.0)]


def test_utilisation_is_what_was_admitted_of_what_was_permitted_in_the_full_minutes_with_backlog() -> None:
    account = Account(quota={"chat-0": 1000})
    for number in range(40):
        account.turn(0, start=5.0 + 5.0 * number)

    whole, by_minute = utilisation_under_backlog(account.facts())

    assert by_minute == [1.2, 1.2, 1.2]
    assert whole == pytest.approx(1.2)


def test_an_outage_lowers_what_is_permitted_for_as_long_as_it_lasts() -> None:
    outage = Outage(BEGAN + 10, BEGAN + 40, 0.5)
    quota = {"chat-0": 600, "chat-1": 600}

    assert permitted_tokens((BEGAN, BEGAN + 60), quota, [outage]) == pytest.approx(20 * 30 + 10 * 30)
    assert permitted_tokens((BEGAN + 20, BEGAN + 30), quota, [outage]) == pytest.approx(100)


def test_calls_in_an_outage_are_held_against_those_that_its_limits_permit() -> None:
    account = Account(quota={"chat-0": 6000})
    for number in range(45):
        account.call(10 + number / 2, status=429 if number % 3 else 200)
    account.call(9.9)
    account.call(60)

    assert calls_in_outage(account.facts(), Outage(BEGAN + 10, BEGAN + 40, 0.5)) == pytest.approx(45 / 15)


def test_calls_that_were_admitted_in_an_outage_were_permitted() -> None:
    account = Account(quota={"chat-0": 600})
    for number in range(12):
        account.call(10 + number, status=429 if number >= 10 else 200)

    assert calls_in_outage(account.facts(), Outage(BEGAN + 10, BEGAN + 40, 0.5)) == pytest.approx(12 / 10)


@pytest.mark.parametrize(("resumes", "expected"), [(50, 0), (58, 5), (90, None)])
def test_recovery_is_the_first_whole_minute_at_95_percent_after_the_outage(resumes: int, expected: int | None) -> None:
    account = Account(quota={"chat-0": 6000})
    outage = Outage(BEGAN + 20, BEGAN + 50, 0.0)
    for at in range(resumes, 130):
        account.turn(0, start=at)

    assert recovery_seconds(account.facts(), outage) == expected


def test_without_backlog_for_a_whole_minute_recovery_is_not_measured() -> None:
    account = Account(quota={"chat-0": 6000})
    for at in range(50, 90):
        account.turn(0, start=at)

    assert recovery_seconds(account.facts(), Outage(BEGAN + 20, BEGAN + 50, 0.0)) is None
