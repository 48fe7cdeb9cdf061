"""An answer that was given is given again only where that is safe: counted by the simulator's own account of calls."""

from typing import Any

import httpx2
import pytest

from shared.api.views import TurnView
from tests.acceptance.caching import RETURNS, first_calls, new_calls, wait_until
from tests.acceptance.stack import OTHER, OTHER_OPERATOR, Stack, ask


def test_the_same_question_in_other_words_is_answered_from_the_cache_too(cached: Stack) -> None:
    before = len(cached.calls())
    with cached.client(OTHER) as client:
        ask(client, "How do I return an item?")
        again = ask(client, "Hi, can you please tell me how I return an item?")

    assert new_calls(cached, before) == 1
    assert again.last["cached"]["kind"] == "semantic"
    assert 0.6 <= again.last["cached"]["similarity"] < 1


@pytest.mark.parametrize(
    "questions",
    [
        ("Can I return an opened item?", "Can I not return an opened item?"),
        ("Can I return an item after 40 days?", "Can I return an item after 50 days?"),
        ("Can Anna return an item of mine?", "Can Peter return an item of mine?"),
    ],
    ids=["negation", "number", "name"],
)
def test_a_question_that_is_only_alike_is_asked_anew(cached: Stack, questions: tuple[str, str]) -> None:
    before = len(cached.calls())
    with cached.client(OTHER) as client:
        answers = [ask(client, question) for question in questions]

    assert new_calls(cached, before) == 2
    assert not any("cached" in answer.last for answer in answers)


@pytest.mark.parametrize(
    ("header", "calls", "calls_after"), [("no-cache", 2, 2), ("no-store", 2, 2), ("max-age=600", 1, 1)]
)
def test_a_caller_can_want_a_new_answer(cached: Stack, header: str, calls: int, calls_after: int) -> None:
    before, question = len(cached.calls()), f"How is returning done, asked with {header}?"
    with cached.client(OTHER) as client:
        ask(client, question)
        reply = client.post("/api/chat", json={"message": question}, headers={"Cache-Control": header})
        asked = new_calls(cached, before)
        ask(client, question)

    assert asked == calls
    assert new_calls(cached, before) == calls_after
    assert ("fwd=request" in reply.headers["cache-status"]) == (calls == 2)


def test_an_answer_that_was_not_to_be_stored_is_not(cached: Stack) -> None:
    before, question = len(cached.calls()), "How is returning done, privately?"
    with cached.client(OTHER) as client:
        ask(client, question, headers={"Cache-Control": "no-store"})
        ask(client, question)

    assert new_calls(cached, before) == 2


def test_a_question_with_a_history_or_other_limits_is_asked_anew(cached: Stack) -> None:
    before, question = len(cached.calls()), "And how is that done?"
    with cached.client(OTHER) as client:
        ask(client, question, session_id="fresh-session")
        first = new_calls(cached, before)
        ask(client, question, session_id="fresh-session")
        ask(client, question, max_output_tokens=50)
        ask(client, question, temperature=0.5)
        asked = new_calls(cached, before)
        again = ask(client, question, session_id="another-fresh-session")

    assert first == 1
    assert asked == 4
    assert "cached" in again.last
    assert new_calls(cached, before) == 4


def test_openais_route_has_its_own_cache(cached: Stack) -> None:
    before = len(cached.calls())
    body: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say something nice"}]}
    with cached.client(OTHER) as client:
        replies = [client.post("/api/openai/v1/chat/completions", json=body) for _ in range(2)]
        client.post("/api/openai/v1/chat/completions", json=body | {"seed": 7})
        streamed = client.post("/api/openai/v1/chat/completions", json=body | {"stream": True})

    assert new_calls(cached, before) == 2
    texts = [reply.json()["choices"][0]["message"]["content"] for reply in replies]
    assert texts[0] == texts[1]
    assert replies[1].json()["usage"]["total_tokens"] == 0
    assert "cached" in replies[1].json()
    assert "hit" in streamed.headers["cache-status"]
    assert streamed.text.rstrip().endswith("data: [DONE]")


def test_an_answer_that_is_there_waits_for_nobody(cached: Stack) -> None:
    question = "Is there an answer while the lane is paused?"
    with cached.client(OTHER) as client, cached.client(OTHER_OPERATOR) as operator:
        ask(client, question)
        before = len(cached.calls())
        operator.post("/api/operations/lanes/interactive", json={"paused": True}).raise_for_status()
        try:
            again = ask(client, question)
            waiting = client.post("/api/chat", json={"message": "And another?"}, headers={"Prefer": "respond-async"})
        finally:
            operator.post("/api/operations/lanes/interactive", json={"paused": False}).raise_for_status()

    assert again.names == ["accepted", "delta", "done"]
    assert "cached" in again.last
    assert waiting.json()["state"] in {"accepted", "queued"}
    # What waited is answered after the pause, and is not to be counted by the next test.
    wait_until(lambda: new_calls(cached, before) == 1)


def test_an_answer_that_was_found_bad_or_forgotten_is_not_given_again(cached: Stack) -> None:
    before, question = len(cached.calls()), "What is the worst answer?"
    with cached.client(OTHER) as client:
        first = ask(client, question)
        again = ask(client, question)
        rating = client.post(f"/api/chat/{again.events[0][2]['turn_id']}/feedback", json={"rating": "down"})
        third = ask(client, question)
        client.delete(f"/api/sessions/{third.events[0][2]['session_id']}").raise_for_status()
        fourth = ask(client, question)

    assert rating.status_code == 200
    assert ["cached" in one.last for one in (first, again, third, fourth)] == [False, True, False, False]
    assert first_calls(cached, before) == 3


def embeddings(stack: Stack) -> int:
    calls = httpx2.get(f"{stack.parts['model'].url}/_sim/calls").json()["calls"]
    return sum(call["deployment"] == "embeddings" for call in calls)


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_a_question_is_embedded_once_on_either_path(cached: Stack, lane: str) -> None:
    before = embeddings(cached)
    with cached.client(OTHER) as client:
        answer = ask(client, f"How often is a question embedded in the {lane} lane?", lane=lane)

    assert "cached" not in answer.last
    assert embeddings(cached) - before == 1


def looks_in_the_store(stack: Stack) -> float:
    account = httpx2.get(f"{stack.parts['store'].url}/_sim/account").json()["operations"]
    return sum(entry["count"] for entry in account if entry["container"] == "answers")


def test_who_has_not_opted_in_pays_nothing(stack: Stack) -> None:
    before = looks_in_the_store(stack)
    with stack.client() as client:
        answers = [ask(client, "Is there a cache?") for _ in range(2)]
        reply = client.post("/api/chat", json={"message": "Is there a cache?"})

    assert not any("cached" in answer.last for answer in answers)
    assert "cache-status" not in reply.headers
    assert looks_in_the_store(stack) == before


def test_an_identical_question_costs_one_call_and_its_answer_says_whose_it_is(settled: Stack) -> None:
    before, question = len(settled.calls()), "Within how many days can I return an item?"
    with settled.client() as client:
        first = ask(client, question)
        again = ask(client, question)
        reply = client.post("/api/chat", json={"message": question})
        stored = client.get(f"/api/chat/{again.events[0][2]['turn_id']}").json()
        session = client.get(f"/api/sessions/{again.events[0][2]['session_id']}").json()
        rated = client.post(f"/api/chat/{stored['turn_id']}/feedback", json={"rating": "up"})

    assert new_calls(settled, before) == 1
    assert "45 days" in first.text
    assert again.text == first.text == reply.json()["answer"]
    assert again.names[0] == "accepted"
    assert again.names[-1] == "done"
    assert set(again.names) == {"accepted", "delta", "done"}
    assert again.last["cached"]["turn_id"] == first.events[0][2]["turn_id"]
    assert again.last["cached"]["kind"] in {"exact", "shared"}
    assert again.last["citations"] == first.last["citations"] != []
    assert again.last["usage"]["total_tokens"] == 0 < first.last["usage"]["total_tokens"]
    assert "cache" in {stage["name"] for stage in again.last["timeline"]["stages"]}
    assert "cached" not in first.last
    TurnView.model_validate(stored)
    assert stored["cached"] == again.last["cached"]
    assert stored["state"] == "succeeded"
    assert [turn["answer"] for turn in session["turns"]] == [first.text]
    assert rated.status_code == 200
    assert reply.headers["cache-status"].startswith("spillway; ")
    assert "miss" not in reply.headers["cache-status"].replace("miss; collapsed", "")


def test_another_tenant_never_gets_the_answer(settled: Stack) -> None:
    before = len(settled.calls())
    with settled.client() as ours, settled.client(OTHER) as theirs:
        answers = [ask(client, "Within which time may items be returned?") for client in (ours, theirs)]

    assert new_calls(settled, before) == 2
    assert not any("cached" in answer.last for answer in answers)


def test_after_a_change_of_the_knowledge_the_model_is_asked_again(cached: Stack) -> None:
    question = "How many days do I have for returning things?"
    with cached.client(OTHER) as client, cached.client(OTHER_OPERATOR) as operator:
        first = ask(client, question)
        again = ask(client, question)
        changed = RETURNS | {"text": "You can return any item within 14 days of delivery."}
        operator.put("/api/knowledge", json={"documents": [changed]}).raise_for_status()
        before = len(cached.calls())
        new = ask(client, question)

    assert "cached" in again.last
    assert "cached" not in first.last
    assert "cached" not in new.last
    assert new_calls(cached, before) == 1
    assert "14" in new.text
