"""A question goes in, its answer comes out: on both paths, streamed, waited for, or fetched later."""

import itertools
import time

import pytest
from azure.cosmos import CosmosClient

from shared.api.views import TurnView
from tests.acceptance.stack import OTHER, STORE_KEY, USER, Answer, Stack, ask, events


@pytest.mark.parametrize(("lane", "path"), [("interactive", "direct"), ("standard", "queued"), ("batch", "queued")])
def test_a_question_is_streamed_and_the_stored_answer_is_the_streamed_one(stack: Stack, lane: str, path: str) -> None:
    with stack.client() as client:
        answer = ask(client, "Hello", lane=lane)
        stored = client.get(f"/api/chat/{answer.events[0][2]['turn_id']}").json()

    assert answer.events[0][2]["path"] == path
    assert answer.names[0] == "accepted"
    assert answer.names[-1] == "done"
    assert stored["answer"] == answer.text != ""
    assert stored["state"] == "succeeded"
    TurnView.model_validate(stored)


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_a_customers_profile_goes_into_the_prompt_of_the_tenant_that_keeps_it(stack: Stack, lane: str) -> None:
    with CosmosClient(stack.parts["store"].url, credential=STORE_KEY) as store:
        profiles = store.get_database_client("spillway").get_container_client("profiles")
        profiles.upsert_item({"id": "eve", "tenant": "contoso", "profile": {"shoe size": "42", "wants": "bus " * 50}})

    def prompt(key: str, customer_id: str) -> tuple[int, list[str]]:
        with stack.client(key) as client:
            timeline = ask(client, lane=lane, customer_id=customer_id).events[-1][2]["timeline"]
        return timeline["prompt"]["tokens"], timeline.get("dropped", [])

    (known, dropped), (unknown, _), (foreign, _) = prompt(USER, "eve"), prompt(USER, "adam"), prompt(OTHER, "eve")

    assert dropped == []
    assert known > unknown + 50
    assert foreign == unknown


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_event_ids_only_grow(stack: Stack, lane: str) -> None:
    with stack.client() as client:
        answer = ask(client, lane=lane)

    ids = [sequence for sequence, _, _ in answer.events]

    assert ids == sorted(set(ids))


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_without_a_stream_the_whole_answer_is_waited_for(stack: Stack, lane: str) -> None:
    with stack.client() as client:
        response = client.post("/api/chat", json={"message": "Hello", "lane": lane})

    turn = TurnView.model_validate(response.json())

    assert response.status_code == 200
    assert turn.state == "succeeded"
    assert turn.answer
    assert turn.usage is not None
    assert turn.usage.output_tokens > 0
    assert response.headers["x-spillway-turn-id"] == turn.turn_id
    assert "first_token;dur=" in response.headers["server-timing"]


def test_respond_async_gives_202_and_an_address_where_the_answer_appears(stack: Stack) -> None:
    with stack.client() as client:
        accepted = client.post("/api/chat", json={"message": "Hello"}, headers={"Prefer": "respond-async"})
        location = accepted.headers["location"]
        turns = (client.get(location).json() for _ in itertools.count() if time.sleep(0.05) is None)
        turn = next(turn for turn in itertools.islice(turns, 200) if turn["state"] == "succeeded")

    assert accepted.status_code == 202
    assert accepted.json()["place"] >= 1
    assert turn["answer"]


def test_the_same_idempotency_key_gives_the_same_turn_and_one_model_call(stack: Stack) -> None:
    headers = {"Idempotency-Key": "order-4711"}
    with stack.client() as client:
        first = client.post("/api/chat", json={"message": "Once only"}, headers=headers).json()
        again = client.post("/api/chat", json={"message": "Once only"}, headers=headers).json()
        other = client.post("/api/chat", json={"message": "Something else"}, headers=headers)

    calls = [call for call in stack.calls() if call["client_request_id"] == first["turn_id"]]

    assert again["turn_id"] == first["turn_id"]
    assert again["answer"] == first["answer"]
    assert len(calls) == 1
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "idempotency_conflict"


def test_idempotency_keys_of_two_tenants_do_not_meet(stack: Stack) -> None:
    headers = {"Idempotency-Key": "shared-by-chance"}
    with stack.client() as ours, stack.client(OTHER) as theirs:
        mine = ours.post("/api/chat", json={"message": "Hello"}, headers=headers).json()
        foreign = theirs.post("/api/chat", json={"message": "Hello"}, headers=headers).json()

    assert mine["turn_id"] != foreign["turn_id"]


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_a_cut_connection_resumes_without_a_gap_or_a_repeat(stack: Stack, lane: str) -> None:
    answer = Answer()
    with stack.client() as client:
        body = {"message": "Hello", "lane": lane}
        with client.stream("POST", "/api/chat", json=body, headers={"accept": "text/event-stream"}) as response:
            for event in events(response.iter_lines()):
                answer.take(*event)
                if event[1] == "delta":
                    break
        turn_id, last_id = answer.events[0][2]["turn_id"], answer.events[-1][0]
        headers = {"Last-Event-ID": str(last_id)}
        with client.stream("GET", f"/api/chat/{turn_id}/stream", headers=headers) as response:
            for event in events(response.iter_lines()):
                answer.take(*event)
        stored = client.get(f"/api/chat/{turn_id}").json()

    assert answer.text == stored["answer"]
    assert answer.names.count("accepted") == 1
    assert answer.names[-1] == "done"


def test_a_finished_turn_can_be_streamed_from_its_beginning(stack: Stack) -> None:
    with stack.client() as client:
        first = ask(client)
        again = Answer()
        with client.stream("GET", f"/api/chat/{first.events[0][2]['turn_id']}/stream") as response:
            for event in events(response.iter_lines()):
                again.take(*event)

    assert again.text == first.text
    assert again.names == ["accepted", "delta", "done"]


def test_a_session_remembers_its_turns_and_forgets_them_when_asked(stack: Stack) -> None:
    with stack.client() as client:
        for question in ("Hello", "Thanks"):
            ask(client, question, session_id="memory")
        history = client.get("/api/sessions/memory").json()
        turn_id = history["turns"][0]["turn_id"]
        client.post(f"/api/chat/{turn_id}/feedback", json={"rating": "down", "comment": "too short"})
        rated = client.get("/api/sessions/memory").json()
        removed = client.delete("/api/sessions/memory")
        after = client.get("/api/sessions/memory").json()
        turn = client.get(f"/api/chat/{turn_id}")

    assert [turn["question"] for turn in history["turns"]] == ["Hello", "Thanks"]
    assert rated["turns"][0]["rating"] == "down"
    assert removed.status_code == 204
    assert after["turns"] == []
    assert turn.status_code == 404


def test_answers_come_from_the_tenants_own_knowledge_and_cite_it(stack: Stack) -> None:
    documents = [
        {"id": "returns", "title": "Returns", "text": "You can return any item within 45 days of delivery."},
        {"id": "hours", "title": "Opening hours", "text": "The shop is open from 9 to 18 on weekdays."},
    ]
    with stack.client("operator-key-of-contoso") as operator, stack.client() as ours, stack.client(OTHER) as theirs:
        stored = operator.put("/api/knowledge", json={"documents": documents})
        mine = ours.post("/api/chat", json={"message": "Within how many days can I return an item?"}).json()
        foreign = theirs.post("/api/chat", json={"message": "Within how many days can I return an item?"}).json()

    assert stored.json() == {"stored": 2}
    assert "45 days" in mine["answer"]
    assert [citation["id"] for citation in mine["citations"]] == ["returns"]
    assert "45" not in foreign["answer"]


def test_a_cancelled_turn_ends_at_once_and_its_generation_stops(stack: Stack) -> None:
    with stack.client() as client:
        accepted = client.post(
            "/api/chat", json={"message": "Hello", "lane": "batch"}, headers={"Prefer": "respond-async"}
        ).json()
        cancelled = client.delete(f"/api/chat/{accepted['turn_id']}").json()
        again = client.delete(f"/api/chat/{accepted['turn_id']}").json()

    assert cancelled["state"] in {"cancelled", "succeeded"}
    assert again["state"] == cancelled["state"]
