"""Bad input gets one clear error in the one shape, and nothing of it is stored."""

import pytest

from shared.api.views import ErrorReply
from tests.acceptance.stack import OTHER, USER, Stack, ask

NOWHERE = "0" * 32
BAD_BODIES = {
    "not json": (b"{", "body"),
    "not an object": (b"[]", "body"),
    "nothing": (b"{}", "message"),
    "empty message": (b'{"message": ""}', "message"),
    "blank message": (b'{"message": "  "}', "message"),
    "wrong type": (b'{"message": 5}', "message"),
    "huge message": (b'{"message": "' + b"x" * 100_001 + b'"}', "message"),
    "both forms": (b'{"message": "a", "messages": [{"role": "user", "content": "a"}]}', "messages"),
    "no messages": (b'{"messages": []}', "messages"),
    "too many": (b'{"messages": [' + b",".join([b'{"role": "user", "content": "a"}'] * 101) + b"]}", "messages"),
    "last by assistant": (b'{"messages": [{"role": "assistant", "content": "a"}]}', "messages"),
    "system role": (b'{"messages": [{"role": "system", "content": "a"}]}', "role"),
    "unknown field": (b'{"message": "a", "tenant": "fabrikam"}', "tenant"),
    "unknown lane": (b'{"message": "a", "lane": "fast"}', "lane"),
    "past deadline": (b'{"message": "a", "deadline_seconds": -1}', "deadline_seconds"),
    "unknown model": (b'{"message": "a", "model": "gpt-99"}', "model"),
    "bad session": (b'{"message": "a", "session_id": "../x"}', "session_id"),
    "invalid utf-8": (b'{"message": "\xff"}', "body"),
    "nested without end": (b'{"message": ' + b"[" * 5000 + b"]" * 5000 + b"}", "recursion"),
    "endless number": (b'{"message": "a", "max_output_tokens": ' + b"9" * 5000 + b"}", "out of range"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_request_is_named_and_nothing_of_it_is_stored(stack: Stack, name: str) -> None:
    body, word = BAD_BODIES[name]
    before = len(stack.turns())
    with stack.client() as client:
        response = client.post("/api/chat", content=body)

    error = ErrorReply.model_validate(response.json()).error

    assert response.status_code == 400
    assert error.code == "invalid_request"
    assert word in error.message
    assert len(stack.turns()) == before


def test_a_body_over_a_million_bytes_is_refused(stack: Stack) -> None:
    with stack.client() as client:
        response = client.post("/api/chat", content=b" " * 1_000_001)

    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": "wrong"}, {"authorization": "Bearer wrong"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/chat"),
        ("GET", f"/api/chat/{NOWHERE}"),
        ("GET", f"/api/chat/{NOWHERE}/stream"),
        ("DELETE", f"/api/chat/{NOWHERE}"),
        ("POST", f"/api/chat/{NOWHERE}/feedback"),
        ("GET", "/api/sessions/s"),
        ("DELETE", "/api/sessions/s"),
        ("GET", "/api/capacity"),
        ("GET", "/api/dead-letters"),
        ("POST", "/api/dead-letters/replay"),
        ("PUT", "/api/knowledge"),
        ("GET", "/api/health/ready"),
        ("GET", "/api/openapi.json"),
    ],
)
def test_every_route_wants_a_known_key(stack: Stack, method: str, path: str, headers: dict[str, str]) -> None:
    with stack.client(None) as client:
        response = client.request(method, path, headers=headers)

    assert response.status_code == 401
    assert ErrorReply.model_validate(response.json()).error.code == "unauthorized"


@pytest.mark.parametrize("header", ["x-functions-key", "api-key", "authorization"])
def test_the_key_may_come_in_any_of_the_usual_headers(stack: Stack, header: str) -> None:
    value = f"Bearer {USER}" if header == "authorization" else USER
    with stack.client(None) as client:
        response = client.get("/api/health/ready", headers={header: value})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/capacity"), ("GET", "/api/dead-letters"), ("PUT", "/api/knowledge")]
)
def test_operator_routes_want_an_operators_key(stack: Stack, method: str, path: str) -> None:
    with stack.client() as client:
        response = client.request(method, path)

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "forbidden"


def test_another_tenants_turn_looks_like_none(stack: Stack) -> None:
    with stack.client() as ours, stack.client(OTHER) as theirs:
        turn_id = ask(ours).events[0][2]["turn_id"]
        for method, path in (
            ("GET", f"/api/chat/{turn_id}"),
            ("GET", f"/api/chat/{turn_id}/stream"),
            ("DELETE", f"/api/chat/{turn_id}"),
        ):
            foreign = theirs.request(method, path)
            unknown = theirs.request(method, path.replace(turn_id, NOWHERE))

            assert foreign.status_code == unknown.status_code == 404
            assert foreign.json()["error"]["code"] == unknown.json()["error"]["code"] == "turn_not_found"


def test_liveness_needs_no_key(stack: Stack) -> None:
    with stack.client(None) as client:
        assert client.get("/api/health/live").json() == {"status": "alive"}


def test_an_unknown_address_is_a_clear_404(stack: Stack) -> None:
    with stack.client() as client:
        response = client.get("/api/no/such/thing")

    assert response.status_code == 404
    assert ErrorReply.model_validate(response.json()).error.code == "not_found"


def test_files_outside_the_page_are_not_served(stack: Stack) -> None:
    with stack.client(None) as client:
        response = client.get("/api/%2e%2e/host.json")

    assert response.status_code == 404


def test_a_filtered_question_fails_with_its_reason_and_is_not_tried_again(stack: Stack) -> None:
    for deployment in ("chat-0", "chat-1"):
        stack.fault(kind="content_filter", deployment=deployment)
    with stack.client() as client:
        response = client.post("/api/chat", json={"message": "Something forbidden"})
    stack.calm()

    turn_id = response.headers["x-spillway-turn-id"]

    assert response.status_code == 422
    assert response.json()["error"]["code"] == "content_filtered"
    assert len([call for call in stack.calls() if call["client_request_id"] == turn_id]) == 1


def test_a_queued_turn_that_nobody_can_answer_in_time_expires(stack: Stack) -> None:
    stack.fault(kind="quota", seconds=6, retry_after_ms=3_000, headers="ms")
    with stack.client() as client:
        response = client.post("/api/chat", json={"message": "Hello", "lane": "standard", "deadline_seconds": 2})
    stack.calm()

    assert response.status_code == 504
    assert response.json()["error"]["code"] == "deadline_exceeded"
