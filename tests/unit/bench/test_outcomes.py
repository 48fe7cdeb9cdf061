"""The referee's counts on hand-made accounts: lost, answered twice, refused, cut."""

import pytest

from bench.lab import outcomes
from tests.unit.bench.accounts import BEGAN, Account


def test_a_turn_is_answered_only_when_account_and_store_agree() -> None:
    account = Account()
    account.turn(0, start=1)
    account.turn(1, state="succeeded")
    account.turn(2, start=3, state="running")
    account.turn(3, start=4, state="failed")

    counts = outcomes.counts(account.facts())

    assert (counts["accepted"], counts["succeeded"], counts["lost"], counts["unfinished"]) == (4, 1, 3, 1)
    assert counts["success_share"] == 0.25


def test_an_accepted_turn_that_is_not_in_the_store_is_lost() -> None:
    account = Account()
    account.turn(0, start=1)
    account.stored.clear()

    assert outcomes.counts(account.facts())["lost"] == 1


def test_an_expired_turn_is_counted_apart_and_a_refused_one_is_not_accepted() -> None:
    account = Account()
    account.turn(0, state="expired")
    account.turn(1, accepted_at=None, turn_id=None, outcome="refused", refused=[(429, BEGAN + 1, 5.0)])

    counts = outcomes.counts(account.facts())

    assert (counts["asked"], counts["accepted"], counts["lost"], counts["expired"]) == (2, 1, 0, 1)


def test_a_turn_that_expired_before_its_deadline_is_lost() -> None:
    account = Account()
    account.turn(0, state="expired", ends=19.0)
    account.turn(1, state="expired", ends=60.0)

    counts = outcomes.counts(account.facts())

    assert (counts["expired"], counts["lost"]) == (2, 1)


def test_an_arm_without_a_store_loses_what_its_caller_does_not_have() -> None:
    account = Account(keeps_turns=False)
    account.turn(0, start=1)
    account.turn(1, start=2, outcome="APITimeoutError")
    account.turn(2, outcome="status_429")

    counts = outcomes.counts(account.facts())

    assert (counts["accepted"], counts["succeeded"], counts["lost"]) == (3, 1, 2)


def test_two_calls_that_succeed_answer_a_turn_twice_and_a_cut_one_does_not() -> None:
    account = Account()
    account.turn(0, start=1)
    account.call(4, number=0)
    account.turn(1, start=9)
    account.call(2, number=1, outcome="client_closed")

    assert outcomes.counts(account.facts())["duplicated"] == 1


def test_calls_of_nobody_and_refused_calls_count_against_the_arm() -> None:
    account = Account()
    account.turn(0, start=3)
    account.call(1, number=0, status=429, outcome="quota_429")
    account.call(2, status=503, outcome="unavailable")

    figures = outcomes.calls(account.facts())

    assert (figures["calls"], figures["wasted_calls"], figures["calls_per_success"]) == (3, 2, 3.0)
    assert figures["share_429"] == pytest.approx(1 / 3, abs=1e-4)


def test_a_refusal_is_honest_when_who_comes_back_is_taken() -> None:
    account = Account()
    account.turn(0, start=9, refused=[(429, BEGAN, 2.0)])
    account.turn(1, start=9, refused=[(429, BEGAN, 2.0), (429, BEGAN + 3, 2.0)])
    account.turn(2, accepted_at=None, outcome="refused", refused=[(429, BEGAN, None)])

    figures = outcomes.refusals(account.facts())

    assert (figures["refusals"], figures["refused_turns"], figures["came_back"]) == (4, 3, 3)
    assert (figures["dishonest"], figures["honest_share"]) == (1, 0.6667)
    assert (figures["without_retry_after"], figures["refused_for_good"]) == (1, 1)


def test_the_retry_after_of_an_outage_is_no_promise_of_capacity() -> None:
    account = Account()
    account.turn(0, start=9, refused=[(503, BEGAN, 1.0), (503, BEGAN + 1, 1.0), (429, BEGAN + 2, 1.0)])
    account.turn(1, start=9, refused=[(429, BEGAN, 1.0), (503, BEGAN + 1, 1.0)])

    figures = outcomes.refusals(account.facts())

    assert (figures["refusals"], figures["unavailable"]) == (2, 3)
    assert (figures["came_back"], figures["dishonest"]) == (1, 0)


def test_a_wait_that_was_told_is_held_against_the_real_one() -> None:
    account = Account()
    for at, told in enumerate([1.0, 20.0, 99.0, None]):
        account.turn(at, start=at + 15.1, expected_wait_seconds=told)

    figures = outcomes.estimates(account.facts())

    assert (figures["told"], figures["within_share"]) == (3, 0.3333)
    assert figures["error_s"]["p50"] == pytest.approx(14.0)


def test_what_a_caller_saw_must_be_the_stored_answer() -> None:
    account = Account()
    account.turn(0, start=1, answer="one two three", restarts=1)
    account.turn(1, start=2, answer="one two three", seen="one one two three")
    account.turn(2, start=3, answer="one two three", seen="four five six", repeats=2)

    figures = outcomes.streams(account.facts())

    assert (figures["answers_compared"], figures["answers_unlike_the_stored"]) == (3, 2)
    assert figures["duplicate_visible_tokens"] == 1 + 1 + 2
    assert figures["restarts_seen"] == 1


def test_a_turn_cut_twice_counts_once_and_one_cut_before_its_first_token_does_not() -> None:
    account = Account()
    account.turn(0, start=9)
    account.call(1, number=0, outcome="client_closed")
    account.call(5, number=0, outcome="client_closed")
    account.turn(1, start=9)
    account.call(2, number=1, outcome="client_closed", first=None)

    assert outcomes.streams(account.facts())["turns_cut"] == 1


def test_extra_tokens_are_those_charged_for_calls_that_were_closed() -> None:
    account = Account()
    account.turn(0, start=1)
    account.call(2, number=0, outcome="client_closed", deployment="chat-1", first=None, tokens=300)
    account.turn(1, start=2)
    account.call(1, number=1, status=429, outcome="quota_429")
    journeys = account.facts().journeys

    assert outcomes.extra_tokens_share(journeys) == 0.6
    assert outcomes.extra_tokens_share(journeys[1:]) == 0
    assert outcomes.extra_tokens_share([]) is None
    assert outcomes.by_deployment(journeys) == {"chat-0": 3, "chat-1": 1}
