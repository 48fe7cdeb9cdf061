"""Each fault as a caller sees it, and as the account keeps it."""

import contextlib

import pytest

from tests.contract.openai_service.support import HELLO, HELLO_ANSWER, Raw, events, text_of


def outcomes(raw: Raw) -> list[str]:
    return [call["outcome"] for call in raw.calls()]


@pytest.mark.parametrize("kind", ["quota", "capacity", "temporary_cut", "oversized"])
def test_a_refusal_strikes_as_often_as_it_was_asked_to(raw: Raw, kind: str) -> None:
    raw.fault(kind, count=2)
    assert [raw.chat("chat").status for _ in range(3)] == [429, 429, 200]
    assert outcomes(raw) == [f"{kind}_429", f"{kind}_429", "succeeded"]


def test_an_oversized_fault_waits_a_day_by_itself(raw: Raw) -> None:
    raw.fault("oversized")
    assert raw.chat("chat").headers["retry-after"] == "86400"


def test_a_server_error_comes_after_admission_and_keeps_its_charge(raw: Raw) -> None:
    raw.fault("server_error", status=502, count=1)
    answer = raw.chat("small", max_tokens=92)
    assert answer.status == 502
    assert answer.json() == {
        "error": {
            "message": "The server had an error while processing your request. Sorry about that!",
            "type": "server_error",
            "param": None,
            "code": None,
        }
    }
    assert raw.chat("small", max_tokens=92).headers["x-ratelimit-remaining-tokens"] == "800"
    assert raw.calls()[0]["estimate"] == 100


def test_a_503_comes_from_before_the_service_and_counts_nowhere(raw: Raw) -> None:
    raw.fault("refuse_connection_like_503", count=1)
    answer = raw.chat("small")
    assert (answer.status, answer.headers["content-type"]) == (503, "text/plain")
    assert "x-ratelimit-limit-tokens" not in answer.headers
    assert raw.chat("small", max_tokens=92).headers["x-ratelimit-remaining-requests"] == "599"
    assert outcomes(raw) == ["unavailable", "succeeded"]


def test_a_filtered_completion_ends_a_stream_with_its_reason(raw: Raw) -> None:
    raw.fault("content_filter_completion", after_tokens=3)
    answer = raw.chat("chat", stream=True)
    assert text_of(answer) == "Hello! How"
    finish = events(answer)[-2]["choices"][0]
    assert finish["finish_reason"] == "content_filter"
    assert finish["content_filter_results"]["violence"] == {"filtered": True, "severity": "medium"}
    assert raw.calls()[0]["outcome"] == "content_filter_completion"
    assert raw.calls()[0]["output_tokens"] == 3


def test_a_filtered_whole_completion_has_no_content(raw: Raw) -> None:
    raw.fault("content_filter_completion", after_tokens=3)
    choice = raw.chat("chat").json()["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", "")


def test_a_slow_first_token_is_late_and_the_rest_is_not(raw: Raw) -> None:
    raw.fault("slow_first_token", delay_seconds=0.4)
    assert text_of(raw.chat("chat", stream=True)) == HELLO_ANSWER
    call = raw.calls()[0]
    assert call["first_token"] - call["arrived"] >= 0.399
    assert call["ended"] - call["first_token"] < 0.4


def test_slow_everything_multiplies_every_time(raw: Raw) -> None:
    raw.fault("slow_everything", factor=3)
    raw.chat("slow", stream=True)
    call = raw.calls()[0]
    assert 0.299 <= call["first_token"] - call["arrived"] < 2
    assert 8 * 0.06 - 0.001 <= call["ended"] - call["arrived"] - 0.3 < 2


def test_a_stall_with_a_length_goes_on_after_it(raw: Raw) -> None:
    raw.fault("stall", after_tokens=2, delay_seconds=0.4)
    answer = raw.chat("chat", stream=True)
    assert text_of(answer) == HELLO_ANSWER
    call = raw.calls()[0]
    assert call["ended"] - call["arrived"] >= 0.399
    assert call["outcome"] == "succeeded"


@pytest.mark.parametrize("stream", [True, False])
def test_a_stall_without_a_length_lasts_until_the_caller_leaves(raw: Raw, stream: bool) -> None:
    raw.fault("stall", after_tokens=2)
    with raw.connect() as connection:
        connection.settimeout(0.4)
        flag = b"true" if stream else b"false"
        body = b'{"model":"chat","stream":%s,"messages":[{"role":"user","content":"Hello"}]}' % flag
        head = (
            b"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: a\r\napi-key: test-key\r\ncontent-length: %d\r\n\r\n"
        )
        connection.sendall(head % len(body) + body)
        received = b""
        with contextlib.suppress(TimeoutError):
            while part := connection.recv(65_536):
                received += part
            pytest.fail("the connection ended")
    assert received.count(b'"delta":{"content"') == (3 if stream else 0)
    calls = raw.first_calls()
    assert calls[0]["outcome"] == "stalled"
    assert calls[0]["output_tokens"] == (2 if stream else 0)


def test_a_cut_breaks_a_stream_without_an_end(raw: Raw) -> None:
    raw.fault("cut", after_tokens=4, count=1)
    answer = raw.chat("chat", stream=True)
    assert not answer.complete
    assert b"[DONE]" not in answer.body
    assert text_of(answer) == "Hello! How can"
    assert raw.calls()[0]["outcome"] == "cut"
    assert raw.chat("chat", stream=True).complete


@pytest.mark.parametrize("path", ["chat/completions", "embeddings"])
def test_a_cut_breaks_a_whole_answer_inside_its_body(raw: Raw, path: str) -> None:
    raw.fault("cut", count=1)
    model = "chat" if path.startswith("chat") else "embeddings"
    body = {"model": model, "messages": HELLO} if model == "chat" else {"model": model, "input": "Hello"}
    answer = raw.send("POST", f"/openai/v1/{path}", body)
    assert answer.status == 200
    assert not answer.complete
    assert raw.calls()[0]["outcome"] == "cut"


def test_faults_are_listed_with_how_often_they_struck_and_removed(raw: Raw) -> None:
    first = raw.fault("quota", deployment="sweden/chat", seconds=60, probability=1)
    raw.fault("cut", deployment="twin")
    raw.chat("chat")
    listed = raw.send("GET", "/_sim/faults", key="").json()["faults"]
    assert [(fault["id"], fault["kind"], fault["struck"]) for fault in listed] == [
        (first, "quota", 1),
        ("fault-2", "cut", 0),
    ]
    assert 50 < listed[0]["seconds"] <= 60
    assert raw.send("DELETE", "/_sim/faults", key="").json() == {"removed": 2}
    assert raw.chat("chat").status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "part"),
    [
        ("POST", "/_sim/faults", {"kind": "gremlin"}, 400, "kind must be one of quota"),
        ("POST", "/_sim/faults", {"kind": "quota", "deployment": "none"}, 404, "no deployment none"),
        ("POST", "/_sim/faults", b"{", 400, "JSON"),
        ("POST", "/_sim/faults", [1], 400, "JSON"),
        ("PUT", "/_sim/faults", {}, 405, "GET, POST, DELETE"),
        ("DELETE", "/_sim/faults/none", None, 404, "no fault none"),
        ("PATCH", "/_sim/deployments/none", {}, 404, "no deployment none"),
        ("PATCH", "/_sim/deployments/chat", {"tokens_per_minute": "many"}, 400, "tokens_per_minute must be an integer"),
        ("PATCH", "/_sim/deployments/chat", {"latency": {"spread": 9}}, 400, "latency.spread"),
        ("GET", "/_sim/calls?since=x", None, 400, "since must be a whole number"),
        ("GET", "/_sim/calls?limit=0", None, 400, "limit must be a whole number"),
        ("POST", "/_sim/account", {}, 405, "GET"),
        ("GET", "/_sim/none", None, 404, "Resource not found"),
    ],
)
def test_a_mistake_on_the_control_plane_is_named(
    raw: Raw, method: str, path: str, body: object, status: int, part: str
) -> None:
    answer = raw.send(method, path, body, key="")
    assert answer.status == status
    assert part in answer.json()["error"]["message"]
