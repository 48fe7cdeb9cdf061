"""Identical questions in flight share one call, and whoever dies on the way, every turn is answered in the end."""

from typing import Any

from tests.acceptance.caching import Asking, in_flight, new_calls, wait_until
from tests.acceptance.stack import OTHER, Stack


def test_identical_questions_at_once_share_one_call(cached: Stack) -> None:
    before = len(cached.calls())
    answers = in_flight(cached, "What is the shortest way of returning something?", 8)

    assert new_calls(cached, before) == 1
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.events[0][2]["turn_id"] for answer in answers}) == 8
    assert sum("cached" in answer.last for answer in answers) == 7


def test_followers_outlive_a_leader_and_a_leader_its_followers(cached: Stack) -> None:
    question = "Tell me a long story"
    with cached.client(OTHER) as client:
        # A follower that is cancelled leaves the leader alone.
        leader = Asking(cached, question)
        wait_until(leader.has_text)
        follower = Asking(cached, question)
        wait_until(follower.has_text)
        client.delete(f"/api/chat/{follower.turn_id}").raise_for_status()
        assert leader.join().names[-1] == "done"
        assert follower.join().names[-1] == "error"
        assert len(cached.calls("chat-slow")) == 1

        # A leader that is cancelled leaves its followers to answer for themselves.
        question = "Tell me another long story"
        leader = Asking(cached, question)
        wait_until(leader.has_text)
        followers = [Asking(cached, question) for _ in range(2)]
        wait_until(lambda: all(one.has_text() for one in followers))
        client.delete(f"/api/chat/{leader.turn_id}").raise_for_status()
        answers = [one.join() for one in followers]
        assert leader.join().names[-1] == "error"
        for answer in answers:
            assert answer.names[-1] == "done"
            assert answer.names.count("restart") == 1
        stored = [client.get(f"/api/chat/{one.turn_id}").json() for one in followers]

    assert [one["answer"] for one in stored] == [answer.text for answer in answers]


def test_a_follower_of_nothing_answers_for_itself_in_the_same_run(cached: Stack) -> None:
    question = "Tell me a story whose teller leaves"
    cached.fault(kind="slow_first_token", deployment="chat-slow", count=1, delay_seconds=20)
    try:
        with cached.client(OTHER) as client:
            leader = Asking(cached, question)
            wait_until(lambda: leader.answer.events)
            follower = Asking(cached, question)
            wait_until(lambda: follower.answer.events)
            client.delete(f"/api/chat/{leader.turn_id}").raise_for_status()
            answer = follower.join()
    finally:
        cached.calm()

    assert leader.join().names[-1] == "error"
    assert answer.names[-1] == "done"
    assert "restart" not in answer.names
    assert "cached" not in answer.last


def test_when_the_leaders_stream_breaks_all_are_answered_in_the_end(cached: Stack) -> None:
    question = "Tell me a story that breaks off"
    cached.fault(kind="cut", deployment="chat-slow", count=1, after_tokens=40)
    try:
        leader = Asking(cached, question)
        wait_until(leader.has_text)
        follower = Asking(cached, question)
        followed, led = follower.join(), leader.join()
    finally:
        cached.calm()

    assert led.names[-1] == followed.names[-1] == "done"
    assert led.names.count("restart") == 1
    # It had none of the text yet, or had to drop it.
    assert followed.names.count("restart") <= 1


def test_when_the_instance_dies_with_leader_and_followers_every_turn_is_answered_in_the_end(cached: Stack) -> None:
    question = "Tell me a story that is interrupted"
    leader = Asking(cached, question)
    wait_until(leader.has_text)
    follower = Asking(cached, question)
    wait_until(follower.has_text)
    cached.parts["app"].kill()
    for one in (leader, follower):
        one.join()
    cached.start_app()
    with cached.client(OTHER) as client:

        def turns() -> list[dict[str, Any]]:
            return [client.get(f"/api/chat/{one.turn_id}").json() for one in (leader, follower)]

        wait_until(lambda: all(turn["state"] == "succeeded" for turn in turns()), 40)
        assert len({turn["answer"] for turn in turns()}) == 1
