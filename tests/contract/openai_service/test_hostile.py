"""Bad input gets one clear error in Azure's shape and hurts nobody else."""

import json
import threading
import time
from typing import Any

import pytest

from tests.contract.openai_service.support import HELLO, HELLO_ANSWER, Raw
from tests.processes import Service, start

TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("body", "param", "part"),
    [
        (b"", None, "could not be parsed as JSON"),
        (b"{", None, "could not be parsed as JSON"),
        (b"[]", None, "could not be parsed as JSON"),
        (b'"\xff"', None, "could not be parsed as JSON"),
        (b"[" * 100_000, None, "could not be parsed as JSON"),
        ({"messages": HELLO}, "model", "'model'"),
        ({"model": 7, "messages": HELLO}, "model", "'model'"),
        ({"model": "chat"}, "messages", "Missing required parameter: 'messages'"),
        ({"model": "chat", "messages": []}, "messages", "Missing required parameter"),
        ({"model": "chat", "messages": "Hello"}, "messages", "array"),
        ({"model": "chat", "messages": ["Hello"]}, "messages[0]", "object"),
        ({"model": "chat", "messages": [{"role": "king", "content": "x"}]}, "messages[0].role", "one of system"),
        ({"model": "chat", "messages": [{"role": "user"}]}, "messages[0].content", "string or an array"),
        ({"model": "chat", "messages": [{"role": "user", "content": 1}]}, "messages[0].content", "string or an array"),
        ({"model": "chat", "messages": HELLO * 2_049}, "messages", "at most 2048"),
    ],
)
def test_a_wrong_body_is_named(raw: Raw, body: Any, param: str | None, part: str) -> None:
    answer = raw.send("POST", "/openai/v1/chat/completions", body)
    error = answer.json()["error"]
    assert (answer.status, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert part in error["message"]


@pytest.mark.parametrize(
    ("parameters", "param", "part"),
    [
        ({"max_tokens": -1}, "max_tokens", "at least 1"),
        ({"max_tokens": 0}, "max_tokens", "at least 1"),
        ({"max_tokens": "9"}, "max_tokens", "integer"),
        ({"max_tokens": True}, "max_tokens", "integer"),
        ({"max_tokens": 16_385}, "max_tokens", "too large: 16385"),
        ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens", "at the same time"),
        ({"temperature": 2.1}, "temperature", "between 0 and 2"),
        ({"n": 2}, "n", "not covered"),
        ({"n": 0}, "n", "between 1 and 128"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "only allowed when 'stream'"),
        ({"stop": ["a"] * 5}, "stop", "at most four"),
        ({"stop": [""]}, "stop", "at most four"),
        ({"logprobs": True}, "logprobs", "not covered"),
        ({"logit_bias": {"1": 5}}, "logit_bias", "not covered"),
        ({"seed": 1.5}, "seed", "integer"),
        ({"tool_choice": "required"}, "tool_choice", "only allowed when 'tools'"),
        ({"tools": [TOOL], "tool_choice": "always"}, "tool_choice", "none, auto, required"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
            "tool_choice.function.name",
            "one of the tools",
        ),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type", "not covered"),
        ({"response_format": {"type": "json_object"}}, "messages", "the word 'json'"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "one of text"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, None, "schema"),
        ({"colour": "red"}, None, "Unrecognized request argument supplied: colour"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0].type",
            "not covered",
        ),
    ],
)
def test_a_wrong_parameter_is_named(raw: Raw, parameters: dict[str, Any], param: str | None, part: str) -> None:
    answer = raw.chat("chat", **parameters)
    error = answer.json()["error"]
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert part in error["message"]
    assert param is None or error["param"] == param
    assert raw.calls()[0]["outcome"] == "bad_request"


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({}, "not empty"),
        ({"input": ""}, "not empty"),
        ({"input": []}, "not empty"),
        ({"input": [1, "a"]}, "string or an array of tokens"),
        ({"input": [10**9]}, "not a token"),
        ({"input": [-1]}, "not a token"),
        ({"input": ["a"] * 2_049}, "at most 2048"),
        ({"input": "word " * 101}, "maximum context length is 100 tokens"),
        ({"input": "a", "dimensions": 1_537}, "between 1 and 1536"),
        ({"input": "a", "encoding_format": "hex"}, "one of float, base64"),
        ({"input": "a", "colour": 1}, "Unrecognized request argument"),
    ],
)
def test_a_wrong_embeddings_request_is_named(raw: Raw, parameters: dict[str, Any], part: str) -> None:
    answer = raw.send("POST", "/openai/v1/embeddings", {"model": "embeddings", **parameters})
    assert answer.status == 400
    assert part in answer.json()["error"]["message"]


def test_a_prompt_beyond_the_context_is_refused(raw: Raw) -> None:
    raw.change("chat", context_tokens=50)
    answer = raw.chat("chat", messages=[{"role": "user", "content": "word " * 60}])
    assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert raw.chat("chat").status == 200


@pytest.mark.parametrize("declared", [True, False])
def test_a_huge_body_is_413_whether_it_says_its_length_or_not(raw: Raw, declared: bool) -> None:
    head = b"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: a\r\napi-key: test-key\r\n"
    with raw.connect() as connection:
        if declared:
            connection.sendall(head + b"content-length: 99999999999\r\n\r\n")
        else:
            connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n")
            block = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
            for _ in range(65):
                connection.sendall(block)
        received = b""
        while b"}}" not in received:
            part = connection.recv(65_536)
            assert part, received
            received += part
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b'{"error":{"code":"413"' in received
    assert raw.calls()[0]["outcome"] == "too_large"


def test_a_long_hostile_text_does_not_hold_up_others(raw: Raw) -> None:
    raw.change("chat", context_tokens=10_000_000)
    text = "a" * 2_500_000 + " " * 1_500_000
    other = threading.Thread(target=raw.chat, args=("chat",), kwargs={"messages": [{"role": "user", "content": text}]})
    other.start()
    raw.until_in_flight("sweden/chat")
    longest = 0.0
    for _ in range(10):
        begin = time.monotonic()
        assert raw.chat("twin", messages=HELLO).status == 404
        assert raw.chat("small", max_tokens=10).status == 200
        longest = max(longest, time.monotonic() - begin)
    other.join(30)
    assert longest < 1.0


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /openai/v1/chat/completions HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_garbage_ends_its_own_connection_only(raw: Raw, garbage: bytes) -> None:
    with raw.connect() as bad, raw.connect() as quiet:
        quiet.sendall(b"POST /openai/v1/chat/completions HTTP/1.1\r\n")
        bad.sendall(garbage)
        assert bad.recv(65_536).startswith(b"HTTP/1.1 400 ")
        assert bad.recv(65_536) == b""
        assert raw.chat("chat").json()["choices"][0]["message"]["content"] == HELLO_ANSWER


def test_another_method_is_405(raw: Raw) -> None:
    answer = raw.send("GET", "/openai/v1/chat/completions")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_stop_is_clean_even_while_streams_run(tmp_path: Any) -> None:
    service: Service = start("local.openai", "--port", "0", folder=tmp_path)
    raw = Raw(service.url)
    raw.change("chat-sweden", answer_tokens=5_000)
    body = json.dumps({"model": "chat-sweden", "stream": True, "messages": HELLO})
    head = "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: a\r\napi-key: local-openai-key\r\n"
    with raw.connect() as connection:
        connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        assert connection.recv(65_536)
        assert service.stop() == 0
    assert "Traceback" not in service.log.read_text()


def test_a_wrong_configuration_is_one_line_and_code_2(tmp_path: Any) -> None:
    config = tmp_path / "broken.json"
    config.write_text('{"deployments": []}', encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"broken\.json: deployments must name at least one deployment") as failed:
        start("local.openai", "--port", "0", "--config", str(config), folder=tmp_path)
    assert "Traceback" not in str(failed.value)
