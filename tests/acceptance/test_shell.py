"""The outside of the app: roles, headers, limits, and nothing secret in any log."""

import contextlib
import uuid
from collections.abc import Iterator

import httpx2
import pytest

from shared.api.views import ErrorReply
from tests.acceptance.routes import INSTALLATIONS, OPEN_ROUTES, USER_ROUTES, Call, calls
from tests.acceptance.stack import OPERATOR, OTHER, STORE_KEY, USER, Stack, ask

CALLS = calls()
NOWHERE = {"turn": "0" * 32, "run": "0" * 32, "session": "nowhere"}
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}


def names(found: list[Call]) -> set[str]:
    return {call.name for call in found}


def is_hardened(response: httpx2.Response) -> bool:
    headers = response.headers
    return (
        headers.items() >= HEADERS.items()
        and "default-src 'none'" in headers["content-security-policy"]
        and "frame-ancestors 'none'" in headers["content-security-policy"]
        and "no-" in headers["cache-control"]
        and not any(name.startswith("access-control-") for name in headers)
    )


def test_every_route_is_open_to_all_or_for_users_or_for_operators() -> None:
    assert names(CALLS) >= USER_ROUTES | OPEN_ROUTES
    assert {call.name for call in CALLS if 403 in call.route.errors} == names(
        [call for call in CALLS if call.for_operators]
    )
    assert {call.name for call in CALLS if call.route.open} == OPEN_ROUTES


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_route_lets_in_whom_it_is_for_and_every_answer_is_hardened(stack: Stack, call: Call) -> None:
    with stack.client(None) as nobody, stack.client() as user:
        unknown, known = call.send(nobody, NOWHERE), call.send(user, NOWHERE)
    assert is_hardened(unknown)
    assert is_hardened(known)
    if call.name in OPEN_ROUTES:
        assert unknown.status_code == 200
        return
    assert unknown.status_code == 401
    assert (known.status_code == 403) == call.for_operators
    if call.for_operators:
        assert ErrorReply.model_validate(known.json()).error.code == "forbidden"


def test_an_operator_route_refuses_a_user_before_it_looks_at_the_request(stack: Stack) -> None:
    with stack.client() as user:
        for call in CALLS:
            if call.for_operators and call.route.takes is not None:
                path = call.route.path.format(**INSTALLATIONS, **NOWHERE)
                assert user.request(call.route.method, path, content=b"no json").status_code == 403


@pytest.mark.parametrize("path", ["/api/", "/api/theme.css", "/api/no/such/page"])
def test_the_page_and_its_files_are_hardened(stack: Stack, path: str) -> None:
    with stack.client(None) as client:
        assert is_hardened(client.get(path))


def test_a_stream_is_hardened(stack: Stack) -> None:
    with stack.client() as client:
        reply = client.post("/api/chat", json={"message": "Hello"}, headers={"accept": "text/event-stream"})
    assert is_hardened(reply)


def test_no_other_origin_is_let_in(stack: Stack) -> None:
    asking = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    with stack.client() as client:
        for method in ("OPTIONS", "GET", "POST"):
            reply = client.request(method, "/api/chat", headers=asking)
            assert not any(name.startswith("access-control-") for name in reply.headers)


@contextlib.contextmanager
def another_app(stack: Stack, name: str, **settings: str) -> Iterator[str]:
    """Another instance of the app's HTTP functions, with other settings."""
    before = dict(stack.settings)
    stack.settings.update(settings)
    try:
        service = stack.start_app(name, "--functions", "read_turn,list_models,report_live")
        try:
            yield service.url
        finally:
            service.stop()
    finally:
        stack.settings.clear()
        stack.settings.update(before)
        del stack.parts[name]


def test_a_credential_that_asks_too_often_is_told_when_to_come_back_and_others_are_not_affected(stack: Stack) -> None:
    with (
        another_app(stack, "limited", SPILLWAY_REQUESTS_PER_MINUTE="3") as url,
        httpx2.Client(base_url=url, headers={"api-key": USER}, timeout=30) as client,
    ):
        replies = [client.get(f"/api/chat/{NOWHERE['turn']}") for _ in range(4)]
        openai = client.get("/api/openai/v1/models")
        other = client.get("/api/openai/v1/models", headers={"api-key": OTHER})
        alive = client.get("/api/health/live")
    assert [reply.status_code for reply in replies] == [404, 404, 404, 429]
    refused = ErrorReply.model_validate(replies[3].json()).error
    assert refused.code == "rate_limited"
    assert 0 < int(replies[3].headers["retry-after"]) <= 20
    assert is_hardened(replies[3])
    assert openai.status_code == 429
    assert openai.json()["error"]["code"] == "rate_limited"
    assert (other.status_code, alive.status_code) == (200, 200)


def test_neither_keys_nor_words_of_a_conversation_are_in_any_log_or_refusal(stack: Stack) -> None:
    word, wrong = f"word{uuid.uuid4().hex}", f"wrong{uuid.uuid4().hex}"
    said = []
    with stack.client(None) as client:
        for key in (USER, OPERATOR, wrong):
            for headers in ({"api-key": key}, {"authorization": f"Bearer {key}"}, {"x-functions-key": key}):
                body = {"message": word, "unknown": word}
                said.append(client.post("/api/chat", json=body, headers=headers).text)
            said.append(client.get(f"/api/chat/{word}", params={"code": key}).text)
            said.append(client.get("/api/capacity", params={"code": key}).text)
    with stack.client() as client:
        ask(client, word, lane="standard", session_id=word[:30])
        stack.fault(kind="server_error", deployment="chat-0", status=500, count=1)
        client.post("/api/chat", json={"message": word})
        stack.calm()
    texts = [path.read_text(errors="replace") for path in stack.folder.glob("*.log")]
    assert len(texts) >= 4
    for secret in (USER, OPERATOR, wrong, STORE_KEY, "local-openai-key", "SAS_KEY_VALUE", word):
        assert not [text for text in texts if secret in text]
    for secret in (USER, OPERATOR, wrong, STORE_KEY):
        assert not [text for text in said if secret in text]
