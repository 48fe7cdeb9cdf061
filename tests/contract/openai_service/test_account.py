"""The account of calls is exact, also when many run at once and some leave early."""

import asyncio
import hashlib
import json
import statistics
from collections import Counter

import openai
import pytest

from tests.contract.openai_service.support import KEY, Raw, async_client
from tests.processes import Service

HEAD = "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: a\r\napi-key: {}\r\ncontent-length: {}\r\n\r\n{}"


async def test_every_call_of_a_crowd_is_accounted_for_once(service: Service, raw: Raw) -> None:
    raw.fault("quota", probability=0.3)
    raw.change("chat", answer_tokens=7)
    seen: Counter[str] = Counter()

    async def one(azure: openai.AsyncOpenAI, number: int) -> None:
        try:
            stream = await azure.chat.completions.create(
                model="chat",
                messages=[{"role": "user", "content": f"Question {number}"}],
                max_tokens=20,
                stream=True,
                extra_headers={"x-ms-client-request-id": f"call-{number}"},
            )
            async with stream:
                async for _ in stream:
                    pass
            seen["succeeded"] += 1
        except openai.RateLimitError:
            seen["quota_429"] += 1

    async with async_client(service.url) as azure:
        await asyncio.gather(*(one(azure, number) for number in range(150)))
    calls = raw.calls()
    assert len(calls) == 150
    assert {call["client_request_id"] for call in calls} == {f"call-{number}" for number in range(150)}
    assert Counter(call["outcome"] for call in calls) == seen
    assert [call["number"] for call in calls] == list(range(1, 151))
    for call in calls:
        number = call["client_request_id"].removeprefix("call-")
        assert call["question_sha256"] == hashlib.sha256(f"Question {number}".encode()).hexdigest()
        if call["outcome"] == "succeeded":
            assert (call["output_tokens"], call["estimate"]) == (7, call["prompt_tokens"] + 20)
            assert call["arrived"] <= call["first_token"] <= call["ended"]
    sums = raw.account("sweden/chat")
    assert sums["outcomes"] == dict(seen)
    assert sums["admitted_tokens"] == sum(call["estimate"] for call in calls) == sums["most_tokens_in_window"]
    assert sums["output_tokens"] == 7 * seen["succeeded"]
    assert sums["in_flight"] == 0


async def test_a_small_quota_is_never_exceeded_by_a_crowd(service: Service, raw: Raw) -> None:
    async with async_client(service.url) as azure:
        calls = (
            azure.chat.completions.create(model="small", messages=[{"role": "user", "content": "x"}], max_tokens=92)
            for _ in range(40)
        )
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 10
    sums = raw.account("sweden/small")
    assert sums["most_tokens_in_window"] == 1_000
    assert sums["most_requests_in_1_second"] <= 10


def test_generation_stops_when_the_caller_leaves(raw: Raw) -> None:
    raw.change("slow", answer_tokens=1_000)
    body = json.dumps({"model": "slow", "stream": True, "messages": [{"role": "user", "content": "Hello"}]})
    with raw.connect() as connection:
        connection.sendall(HEAD.format(KEY, len(body), body).encode())
        received = b""
        while received.count(b'"delta":{"content"') < 4:
            received += connection.recv(65_536)
        assert raw.account("sweden/slow")["in_flight"] == 1
    calls = raw.first_calls()
    assert calls[0]["outcome"] == "client_closed"
    assert calls[0]["status"] == 200
    assert 3 <= calls[0]["output_tokens"] < 100
    assert raw.account("sweden/slow")["in_flight"] == 0


def test_a_caller_who_leaves_before_a_whole_answer_is_client_closed(raw: Raw) -> None:
    raw.change("slow", latency={"time_to_first_token_ms": 60_000})
    body = json.dumps({"model": "slow", "messages": [{"role": "user", "content": "Hello"}]})
    with raw.connect() as connection:
        connection.sendall(HEAD.format(KEY, len(body), body).encode())
        raw.until_in_flight("sweden/slow")
    calls = raw.first_calls()
    assert (calls[0]["outcome"], calls[0]["status"], calls[0]["output_tokens"]) == ("client_closed", 0, 0)


def test_a_call_that_is_under_way_at_a_reset_does_not_appear_in_the_new_account(raw: Raw) -> None:
    raw.change("slow", latency={"time_to_first_token_ms": 300})
    body = json.dumps({"model": "slow", "messages": [{"role": "user", "content": "Hello"}]})
    with raw.connect() as connection:
        connection.sendall(HEAD.format(KEY, len(body), body).encode())
        raw.until_in_flight("sweden/slow")
        raw.reset()
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    assert raw.calls() == []
    assert raw.account("sweden/slow")["in_flight"] == 0
    assert raw.account("sweden/slow")["calls"] == 0


@pytest.mark.parametrize(
    ("name", "key", "outcome", "unrouted"),
    [("chat", "wrong", "unauthorized", 1), ("none", KEY, "not_found", 1), ("chat", KEY, "succeeded", 0)],
)
def test_calls_that_reach_no_deployment_are_accounted_for_too(
    raw: Raw, name: str, key: str, outcome: str, unrouted: int
) -> None:
    body = {"model": name, "messages": [{"role": "user", "content": "Hello"}]}
    raw.send("POST", "/openai/v1/chat/completions", body, key=key)
    (call,) = raw.calls()
    assert call["outcome"] == outcome
    account = raw.send("GET", "/_sim/account", key="").json()
    assert account["outcomes"] == {outcome: 1}
    assert sum(account["unrouted"].values()) == unrouted


async def test_tokens_keep_their_pace_while_many_streams_run(service: Service, raw: Raw) -> None:
    """Fifty streams of 41 tokens at 20 ms: none drifts, since each token is due at an absolute time."""
    raw.change("slow", answer_tokens=41)

    async def one(azure: openai.AsyncOpenAI) -> None:
        stream = await azure.chat.completions.create(
            model="slow", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        async with stream:
            async for _ in stream:
                pass

    async with async_client(service.url) as azure:
        await asyncio.gather(*(one(azure) for _ in range(50)))
    took = [call["ended"] - call["arrived"] for call in raw.calls()]
    assert len(took) == 50
    assert min(took) >= 0.899
    assert statistics.median(took) < 1.3


def test_pages_of_the_account_follow_each_other(raw: Raw) -> None:
    for _ in range(5):
        raw.chat("chat")
    first = raw.send("GET", "/_sim/calls?since=0&limit=3", key="").json()
    assert ([call["number"] for call in first["calls"]], first["next"], first["more"]) == ([1, 2, 3], 3, True)
    second = raw.send("GET", f"/_sim/calls?since={first['next']}&limit=3", key="").json()
    assert ([call["number"] for call in second["calls"]], second["next"], second["more"]) == ([4, 5], 5, False)
    assert (second["in_flight"], second["forgotten"]) == (0, 0)
