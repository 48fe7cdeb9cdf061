"""What a refusal means, in every variant of body and headers met in the wild."""

import pytest

from shared.policies.classify import Cause, Outcome, classify, retry_after

CONFIGURED = 100_000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"x-ratelimit-reset-tokens": "55"}, 55.0),
        ({"x-rate-limit-reset-tokens": "55"}, 55.0),
        ({"x-ratelimit-reset-tokens": "1s"}, 1.0),
        ({"x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-requests": "120ms"}, 0.12),
        ({"x-ratelimit-reset-requests": "1h2m3s"}, 3723.0),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-reset-tokens": "30s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-remaining-tokens": "900",
            },
            1.0,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "-5", "retry-after": "3"}, 3.0),
        ({}, None),
    ],
)
def test_the_most_exact_header_says_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("status", "code", "message", "headers", "outcome", "cause", "retryable"),
    [
        (429, "429", "Requests have exceeded token rate limit", {}, Outcome.OVERLOAD, Cause.QUOTA, True),
        (429, None, "The system is currently experiencing high demand", {}, Outcome.OVERLOAD, Cause.CAPACITY, True),
        (429, None, "rate limit", {"x-ratelimit-limit-tokens": "5000"}, Outcome.OVERLOAD, Cause.TEMPORARY_CUT, True),
        (429, None, "rate limit", {"x-ratelimit-limit-tokens": "100000"}, Outcome.OVERLOAD, Cause.QUOTA, True),
        (400, "content_filter", "filtered", {}, Outcome.IGNORED, Cause.CONTENT_FILTER, False),
        (400, "invalid_request_error", "bad", {}, Outcome.IGNORED, Cause.BAD_REQUEST, False),
        (401, None, "denied", {}, Outcome.IGNORED, Cause.CREDENTIAL, True),
        (307, None, "Temporary Redirect", {"location": "https://elsewhere"}, Outcome.IGNORED, Cause.CREDENTIAL, True),
        (404, "DeploymentNotFound", "gone", {}, Outcome.IGNORED, Cause.CREDENTIAL, True),
        (408, None, "slow", {}, Outcome.IGNORED, Cause.SERVER_FAULT, True),
        (500, None, "oops", {}, Outcome.IGNORED, Cause.SERVER_FAULT, True),
        (503, None, "oops", {}, Outcome.IGNORED, Cause.SERVER_FAULT, True),
        (0, None, "no connection", {}, Outcome.IGNORED, Cause.UNREACHABLE, True),
    ],
)
def test_a_refusal_is_told_apart_by_status_body_and_headers(
    status: int,
    code: str | None,
    message: str,
    headers: dict[str, str],
    outcome: Outcome,
    cause: Cause,
    retryable: bool,
) -> None:
    verdict = classify(
        status=status, code=code, message=message, headers=headers, configured_tokens_per_minute=CONFIGURED
    )

    assert (verdict.outcome, verdict.cause, verdict.retryable) == (outcome, cause, retryable)


def test_a_temporary_cut_teaches_the_limit_in_force() -> None:
    verdict = classify(
        status=429,
        code=None,
        message="",
        headers={"x-ratelimit-limit-tokens": "40000"},
        configured_tokens_per_minute=CONFIGURED,
    )

    assert verdict.limit_tokens == 40_000
