"""Quota over the wire: what is admitted, what is refused, what the account says of it."""

import json
import time
from pathlib import Path

import pytest

from tests.contract.openai_service.support import CONFIGURATION, KEY, Raw
from tests.processes import running


def test_the_estimate_is_prompt_plus_maximum_and_the_refusal_says_when_it_fits(raw: Raw) -> None:
    assert raw.chat("small", max_tokens=892).status == 200
    refused = raw.chat("small", max_tokens=200)
    assert refused.status == 429
    assert refused.headers["x-ratelimit-remaining-tokens"] == "100"
    assert 58_000 < int(refused.headers["retry-after-ms"]) <= 60_000
    assert raw.chat("small", max_tokens=92).status == 200
    calls = raw.calls()
    assert [(call["outcome"], call["estimate"]) for call in calls] == [
        ("succeeded", 900),
        ("quota_429", 0),
        ("succeeded", 100),
    ]
    assert raw.account("sweden/small")["most_tokens_in_window"] == 1_000


def test_without_a_maximum_the_default_of_the_deployment_is_charged(raw: Raw) -> None:
    raw.change("small", default_output_tokens=300)
    raw.chat("small")
    assert raw.calls()[0]["estimate"] == 308


def test_an_oversized_request_is_told_to_come_back_in_a_day(raw: Raw) -> None:
    refused = raw.chat("small", max_tokens=1_000)
    assert (refused.status, refused.headers["retry-after"]) == (429, "86400")
    assert refused.headers["x-ratelimit-limit-tokens"] == "1000"
    assert raw.calls()[0]["outcome"] == "oversized_429"


def test_requests_beyond_their_slice_are_refused_for_requests(raw: Raw) -> None:
    answers = [raw.chat("narrow") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 429, 429]
    assert "exceeded the call rate limit" in answers[1].json()["error"]["message"]
    assert answers[1].headers["retry-after"] == "1"
    assert "x-ratelimit-reset-requests" in answers[1].headers
    assert "x-ratelimit-reset-tokens" not in answers[1].headers


def test_a_provisioned_deployment_refuses_above_100_percent_and_is_corrected_to_real_use(raw: Raw) -> None:
    first = raw.chat("ptu", max_tokens=1_492)
    assert float(first.headers["azure-openai-deployment-utilization"].rstrip("%")) > 140
    assert raw.chat("ptu", max_tokens=1_492).status == 200
    raw.change("ptu", latency={"time_to_first_token_ms": 60_000})
    with raw.connect() as held:
        body = json.dumps({"model": "ptu", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1_500})
        head = f"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: a\r\napi-key: {KEY}\r\ncontent-length: {len(body)}"
        held.sendall(f"{head}\r\n\r\n{body}".encode())
        raw.until_in_flight("sweden/ptu")
        refused = raw.chat("ptu")
    assert refused.status == 429
    assert refused.json()["error"]["code"] == "429"
    assert float(refused.headers["azure-openai-deployment-utilization"].rstrip("%")) > 100
    assert 0 < int(refused.headers["retry-after-ms"]) < 10_000
    assert "retry-after" in refused.headers


def test_a_temporary_cut_shows_a_lower_limit_and_enforces_it(raw: Raw) -> None:
    fault = raw.fault("temporary_cut", deployment="small", factor=0.2)
    admitted = raw.chat("small", max_tokens=142)
    assert (admitted.status, admitted.headers["x-ratelimit-limit-tokens"]) == (200, "200")
    refused = raw.chat("small", max_tokens=142)
    assert (refused.status, refused.headers["x-ratelimit-limit-tokens"]) == (429, "200")
    assert raw.send("DELETE", f"/_sim/faults/{fault}", key="").json() == {"removed": 1}
    assert raw.chat("small", max_tokens=142).headers["x-ratelimit-limit-tokens"] == "1000"
    assert [call["outcome"] for call in raw.calls()] == ["succeeded", "temporary_cut_429", "succeeded"]


@pytest.mark.parametrize(
    ("variant", "reset_format", "expected"),
    [
        ("both", "number", {"retry-after-ms": "90500", "retry-after": "91", "x-ratelimit-reset-tokens": "91"}),
        ("ms", "seconds", {"retry-after-ms": "90500", "x-ratelimit-reset-tokens": "91s"}),
        ("seconds", "duration", {"retry-after": "91", "x-ratelimit-reset-tokens": "1m31s"}),
        ("reset", "duration", {"x-ratelimit-reset-tokens": "1m31s"}),
        ("none", "number", {}),
    ],
)
def test_each_variant_of_waiting_headers(raw: Raw, variant: str, reset_format: str, expected: dict[str, str]) -> None:
    raw.fault("quota", headers=variant, reset_format=reset_format, retry_after_ms=90_500)
    headers = raw.chat("chat").headers
    assert {name: value for name, value in headers.items() if "retry" in name or "reset" in name} == expected
    assert headers["x-ratelimit-remaining-tokens"] == "0"


def test_a_forced_429_of_a_provisioned_deployment_shows_its_utilisation(raw: Raw) -> None:
    raw.fault("quota", deployment="ptu", retry_after_ms=1_500)
    answer = raw.chat("ptu")
    assert answer.headers["azure-openai-deployment-utilization"] == "100.1%"
    assert answer.json()["error"]["message"].endswith("Please retry after 1500 milliseconds.")


def test_invalid_calls_count_as_requests_too(raw: Raw) -> None:
    assert raw.chat("narrow", temperature=9).status == 400
    assert raw.chat("narrow").status == 429


def test_a_changed_quota_holds_at_once(raw: Raw) -> None:
    raw.change("chat", tokens_per_minute=50)
    assert raw.chat("chat", max_tokens=60).status == 429
    raw.reset()
    assert raw.chat("chat", max_tokens=60).status == 200


def test_a_shorter_window_refills_sooner(tmp_path: Path) -> None:
    config = tmp_path / "deployments.json"
    config.write_text(json.dumps(CONFIGURATION), encoding="utf-8")
    arguments = ("--port", "0", "--config", str(config), "--key", KEY, "--token-window-seconds", "0.5")
    with running("local.openai", *arguments, folder=tmp_path) as service:
        raw = Raw(service.url)
        assert raw.chat("small", max_tokens=992).status == 200
        refused = raw.chat("small", max_tokens=992)
        assert int(refused.headers["retry-after-ms"]) <= 500
        time.sleep(int(refused.headers["retry-after-ms"]) / 1000)
        assert raw.chat("small", max_tokens=992).status == 200
