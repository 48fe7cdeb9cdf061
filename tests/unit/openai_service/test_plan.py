"""Answers on their times, with faults worked in."""

import statistics
from typing import Any

import pytest

from local.openai.config import Deployment, Latency
from local.openai.faults import Effects, Faults
from local.openai.plan import HOLD_SECONDS, plan
from local.openai.reply import Reply
from local.openai.timing import Timing

REPLY = Reply((("One", 1), (" two", 1), (" 🙂", 2), (".", 1)), "stop")
TIMES = [1.0, 2.0, 3.0, 4.0, 5.0]


def struck_by(*wishes: dict[str, Any]) -> Effects:
    faults = Faults(1)
    for wish in wishes:
        faults.add(wish, 0.0)
    return faults.effects(Deployment("chat", "a", "r", "m", "chat", "standard", 1, 1), 0.0)


def test_a_piece_is_due_with_the_last_of_its_tokens() -> None:
    made = plan(REPLY, TIMES, Effects())
    assert (made.times, made.ends, made.finish_reason) == ((1.0, 2.0, 4.0, 5.0), 5.0, "stop")


def test_a_slow_first_token_moves_everything() -> None:
    made = plan(REPLY, TIMES, struck_by({"kind": "slow_first_token", "delay_seconds": 10}))
    assert (made.times, made.ends) == ((11.0, 12.0, 14.0, 15.0), 15.0)


def test_a_cut_ends_the_answer_after_its_tokens() -> None:
    made = plan(REPLY, TIMES, struck_by({"kind": "cut", "after_tokens": 2}))
    assert (len(made.pieces), made.ends, made.cut) == (2, 2.0, True)


def test_a_cut_after_no_tokens_breaks_when_the_first_was_due() -> None:
    made = plan(REPLY, TIMES, struck_by({"kind": "cut"}))
    assert (made.pieces, made.ends, made.cut) == ((), 1.0, True)


def test_a_stall_with_a_length_pauses_and_goes_on() -> None:
    made = plan(REPLY, TIMES, struck_by({"kind": "stall", "after_tokens": 1, "delay_seconds": 30}))
    assert (made.times, made.ends, made.cut) == ((1.0, 32.0, 34.0, 35.0), 35.0, False)
    assert made.stalled_at(20.0)
    assert not made.stalled_at(33.0)


def test_a_stall_without_a_length_sends_nothing_more_and_is_cut_at_last() -> None:
    made = plan(REPLY, TIMES, struck_by({"kind": "stall", "after_tokens": 1}))
    assert (len(made.pieces), made.ends, made.cut) == (1, 1.0 + HOLD_SECONDS, True)


def test_a_filtered_completion_keeps_what_was_sent_and_says_why_it_ends() -> None:
    made = plan(REPLY, TIMES, struck_by({"kind": "content_filter_completion", "after_tokens": 3}))
    assert (len(made.pieces), made.finish_reason, made.ends) == (3, "content_filter", 4.0)


def test_an_answer_without_pieces_still_takes_its_time() -> None:
    assert plan(Reply((), "stop"), [0.7], Effects()).ends == 0.7


def test_times_follow_the_latency_of_the_deployment() -> None:
    latency = Latency(100.0, 0.5, 10.0, spread=0.0, round_trip_ms=20.0)
    assert Timing(1, "a").token_times(latency, 40, 3) == pytest.approx([0.14, 0.15, 0.16])
    assert Timing(1, "a").token_times(latency, 40, 1, factor=2.0) == pytest.approx([0.28])


def test_the_same_seed_draws_the_same_times_and_the_median_is_the_configured_one() -> None:
    latency = Latency(100.0, 0.0, 10.0, spread=0.5)
    first, second = Timing(7, "a/b"), Timing(7, "a/b")
    times = [first.token_times(latency, 10, 2) for _ in range(2_000)]
    assert times == [second.token_times(latency, 10, 2) for _ in range(2_000)]
    assert 0.095 < statistics.median(one[0] for one in times) < 0.105
    assert 0.0095 < statistics.median(one[1] - one[0] for one in times) < 0.0105
    assert all(one[0] < one[1] for one in times)
