"""The bytes on the wire, compared with bytes written by hand."""

import re

import pytest

from tests.contract.openai_service.support import HELLO, Raw, events, text_of

SAFE = (
    b'{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},'
    b'"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}'
)
PROMPT_FILTER = (
    b'[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},'
    b'"jailbreak":{"filtered":false,"detected":false},"self_harm":{"filtered":false,"severity":"safe"},'
    b'"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}]'
)
COMMON = (
    b'"created":CREATED,"id":"ID","model":"gpt-4o-mini-2024-07-18","object":"chat.completion.chunk",'
    b'"system_fingerprint":"fp_27bebe765c"'
)
USAGE = (
    b'{"completion_tokens":9,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,'
    b'"reasoning_tokens":0,"rejected_prediction_tokens":0},"prompt_tokens":8,"prompt_tokens_details":'
    b'{"audio_tokens":0,"cached_tokens":0},"total_tokens":17}'
)


def content(text: bytes) -> bytes:
    return (
        b'data: {"choices":[{"content_filter_results":' + SAFE + b',"delta":{"content":"' + text + b'"},'
        b'"finish_reason":null,"index":0,"logprobs":null}],' + COMMON + b',"usage":null}\n\n'
    )


def masked(body: bytes) -> bytes:
    """The body with the two values that differ from call to call replaced."""
    body = re.sub(rb'"created":1\d{9}', b'"created":CREATED', body)
    return re.sub(rb'"id":"chatcmpl-[A-Za-z0-9]{29}"', b'"id":"ID"', body)


def test_a_stream_has_exactly_these_bytes(raw: Raw) -> None:
    answer = raw.chat("chat", stream=True, stream_options={"include_usage": True})
    expected = (
        b'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":'
        + PROMPT_FILTER
        + b'}\n\ndata: {"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,'
        b'"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],'
        + COMMON
        + b',"usage":null}\n\n'
        + b"".join(map(content, (b"Hello", b"!", b" How", b" can", b" I", b" help", b" you", b" today", b"?")))
        + b'data: {"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0,'
        b'"logprobs":null}],' + COMMON + b',"usage":null}\n\n'
        b'data: {"choices":[],' + COMMON + b',"usage":' + USAGE + b"}\n\n"
        b"data: [DONE]\n\n"
    )
    assert masked(answer.body) == expected
    assert answer.complete
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_without_include_usage_no_chunk_speaks_of_usage(raw: Raw) -> None:
    answer = raw.chat("chat", stream=True)
    assert b"usage" not in answer.body
    assert events(answer)[-1] == "[DONE]"


def test_a_whole_completion_has_exactly_these_bytes(raw: Raw) -> None:
    answer = raw.chat("chat")
    assert masked(answer.body) == (
        b'{"choices":[{"content_filter_results":' + SAFE + b',"finish_reason":"stop","index":0,"logprobs":null,'
        b'"message":{"annotations":[],"content":"Hello! How can I help you today?","refusal":null,'
        b'"role":"assistant"}}],"created":CREATED,"id":"ID","model":"gpt-4o-mini-2024-07-18",'
        b'"object":"chat.completion","prompt_filter_results":'
        + PROMPT_FILTER
        + b',"system_fingerprint":"fp_27bebe765c",'
        b'"usage":' + USAGE + b"}"
    )
    assert answer.headers["content-type"] == "application/json"


def test_a_tool_call_streams_its_name_first_and_its_arguments_in_pieces(raw: Raw) -> None:
    tool = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}
    answer = raw.chat("chat", stream=True, tools=[tool], tool_choice="required")
    opening, *pieces, finish, done = events(answer)[1:]
    call = opening["choices"][0]["delta"]["tool_calls"][0]
    assert (call["function"], call["index"], call["type"]) == ({"arguments": "", "name": "find"}, 0, "function")
    assert re.fullmatch(r"call_[A-Za-z0-9]{24}", call["id"])
    arguments = [piece["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] for piece in pieces]
    assert "".join(arguments) == "{}"
    assert finish["choices"][0]["finish_reason"] == "tool_calls"
    assert done == "[DONE]"


def test_the_headers_of_a_standard_answer(raw: Raw) -> None:
    headers = raw.chat("small", max_tokens=92, headers={"x-ms-client-request-id": "mine-1"}).headers
    uuid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert re.fullmatch(uuid, headers["x-request-id"])
    assert re.fullmatch(uuid, headers["apim-request-id"])
    assert headers["x-ms-client-request-id"] == "mine-1"
    assert headers["x-ms-region"] == "Sweden Central"
    assert headers["x-ms-deployment-name"] == "small"
    assert {name: value for name, value in headers.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-requests": "599",
        "x-ratelimit-remaining-tokens": "900",
        "x-ratelimit-reset-requests": "60",
        "x-ratelimit-reset-tokens": "60",
    }


def test_the_headers_of_a_provisioned_answer(raw: Raw) -> None:
    headers = raw.chat("ptu", max_tokens=492).headers
    assert re.fullmatch(r"(49|50)\.\d%", headers["azure-openai-deployment-utilization"])
    assert not any(name.startswith("x-ratelimit") for name in headers)


@pytest.mark.parametrize(
    ("path", "key", "status", "body"),
    [
        (
            "/openai/v1/chat/completions",
            "wrong",
            401,
            (
                b'{"error":{"code":"401","message":"Access denied due to invalid subscription key or '
                b"wrong API endpoint. "
                b"Make sure to provide a valid key for an active subscription and use a correct "
                b"regional API endpoint for "
                b'your resource."}}'
            ),
        ),
        (
            "/openai/deployments/none/chat/completions?api-version=2024-10-21",
            "test-key",
            404,
            (
                b'{"error":{"code":"DeploymentNotFound","message":"The API deployment for this '
                b"resource does not exist. If "
                b'you created the deployment within the last 5 minutes, please wait a moment and try again."}}'
            ),
        ),
        (
            "/openai/v1/nothing",
            "test-key",
            404,
            b'{"error":{"code":"404","message":"Resource not found"}}',
        ),
        (
            "/openai/deployments/chat/chat/completions",
            "test-key",
            404,
            b'{"error":{"code":"404","message":"Resource not found"}}',
        ),
        (
            "/openai/v1/responses",
            "test-key",
            404,
            (
                b'{"error":{"code":"404","message":"The responses operation is not covered by the local Azure OpenAI '
                b'service."}}'
            ),
        ),
        (
            "/openai/deployments/embeddings/chat/completions?api-version=2024-10-21",
            "test-key",
            400,
            (
                b'{"error":{"code":"OperationNotSupported","message":"The chatCompletion operation '
                b"does not work with the "
                b"specified model, text-embedding-3-small. Please choose different model and try "
                b"again. You can learn more "
                b"about which models can be used with each operation here: "
                b'https://go.microsoft.com/fwlink/?linkid=2197993."}}'
            ),
        ),
    ],
)
def test_an_error_has_exactly_this_body(raw: Raw, path: str, key: str, status: int, body: bytes) -> None:
    answer = raw.send("POST", path, {"model": "chat", "messages": HELLO}, key=key)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers["content-type"] == "application/json"


QUOTA = (
    b'{"error":{"code":"RateLimitReached","message":"Your requests to gpt-4o-mini for chat in Sweden Central have '
    b"exceeded the %s rate limit for your current AIServices S0 pricing tier. This request was for "
    b"ChatCompletions_Create under Azure OpenAI API version v1. Please retry after %d "
    b"seconds. To increase your default "
    b'rate limit, visit: https://aka.ms/oai/quotaincrease."}}'
)


@pytest.mark.parametrize(
    ("kind", "wish", "body"),
    [
        ("quota", {}, QUOTA % (b"token", 7)),
        ("quota", {"limit": "requests"}, QUOTA % (b"call", 7)),
        ("temporary_cut", {"count": 1}, QUOTA % (b"token", 7)),
        ("oversized", {}, QUOTA % (b"token", 7)),
        (
            "capacity",
            {},
            (
                b'{"error":{"code":"429","message":"The system is currently experiencing high demand '
                b"and cannot process "
                b"your request. Your request exceeds the maximum usage size allowed during peak load. "
                b"Please retry after 7 "
                b'seconds. For improved capacity reliability, consider switching to Provisioned Throughput."}}'
            ),
        ),
    ],
)
def test_each_kind_of_429_has_exactly_this_body(raw: Raw, kind: str, wish: dict[str, object], body: bytes) -> None:
    raw.fault(kind, retry_after_ms=6_500, **wish)
    answer = raw.chat("chat")
    assert (answer.status, answer.body) == (429, body)
    assert (answer.headers["retry-after-ms"], answer.headers["retry-after"]) == ("6500", "7")


def test_a_filtered_prompt_has_exactly_this_body(raw: Raw) -> None:
    raw.fault("content_filter")
    answer = raw.chat("chat")
    assert (answer.status, answer.body) == (
        400,
        (
            b'{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI\'s content '
            b"management policy. Please modify your prompt and retry. To learn more about our "
            b"content filtering policies "
            b'please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766","type":null,'
            b""
            b'"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation",'
            b'"content_filter_result":{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"filtered":false,'
            b'"detected":false},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,'
            b'"severity":"safe"},"violence":{"filtered":true,"severity":"medium"}}}}}'
        ),
    )


def test_a_bearer_token_is_the_key_or_shaped_like_a_jwt(raw: Raw) -> None:
    path, body = "/openai/v1/chat/completions", {"model": "chat", "messages": HELLO}
    jwt = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJodHRwczovL2FpLmF6dXJlLmNvbSJ9.c2lnbmF0dXJl"
    for token, status in (("test-key", 200), (jwt, 200), ("a.b.c", 401), ("other", 401)):
        answer = raw.send("POST", path, body, headers={"authorization": f"Bearer {token}"}, key="")
        assert answer.status == status, token
    assert raw.send("POST", path, body, key="").status == 401


def test_a_deployment_is_reached_through_its_account_only(raw: Raw) -> None:
    body = {"messages": HELLO, "stream": True}
    path = "/openai/deployments/{}/chat/completions?api-version=2024-10-21"
    assert text_of(raw.send("POST", "/sweden" + path.format("chat"), body)).startswith("H")
    assert raw.send("POST", "/eastus" + path.format("chat"), body).status == 404
    assert raw.send("POST", "/eastus" + path.format("twin"), body).headers["x-ms-region"] == "East US 2"
    assert raw.send("POST", "/sweden" + path.format("twin"), body).headers["x-ms-region"] == "Sweden Central"
    ambiguous = raw.send("POST", path.format("twin"), body)
    assert ambiguous.status == 404
    assert "/sweden, /eastus" in ambiguous.json()["error"]["message"]
