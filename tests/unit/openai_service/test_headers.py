"""How limits and waiting times are written."""

import pytest

from local.openai import headers
from local.openai.quota.decision import Standing

STANDARD = Standing(1_000, 250, 42.2, 60, 59, 12.0)
PROVISIONED = Standing(1_000, 0, 3.0, 60, 60, 0.0, utilization_percent=103.27)
LIMITS = [
    (b"x-ratelimit-limit-requests", b"60"),
    (b"x-ratelimit-limit-tokens", b"1000"),
    (b"x-ratelimit-remaining-requests", b"59"),
    (b"x-ratelimit-remaining-tokens", b"250"),
]


@pytest.mark.parametrize(
    ("seconds", "reset_format", "written"),
    [
        (55.0, "number", b"55"),
        (54.2, "number", b"55"),
        (0.2, "seconds", b"1s"),
        (360, "seconds", b"360s"),
        (1.0, "duration", b"1s"),
        (360.0, "duration", b"6m0s"),
        (3_725.0, "duration", b"1h2m5s"),
        (0.0, "duration", b"0s"),
    ],
)
def test_a_reset_time_is_written_in_the_format_of_the_deployment(
    seconds: float, reset_format: str, written: bytes
) -> None:
    assert headers.reset_value(seconds, reset_format) == written


@pytest.mark.parametrize(
    ("variant", "waiting"),
    [
        ("both", [(b"retry-after-ms", b"1500"), (b"retry-after", b"2"), (b"x-ratelimit-reset-tokens", b"2")]),
        ("ms", [(b"retry-after-ms", b"1500"), (b"x-ratelimit-reset-tokens", b"2")]),
        ("seconds", [(b"retry-after", b"2"), (b"x-ratelimit-reset-tokens", b"2")]),
        ("reset", [(b"x-ratelimit-reset-tokens", b"2")]),
        ("none", []),
    ],
)
def test_a_429_of_a_standard_deployment_carries_its_variant_of_waiting_headers(
    variant: str, waiting: list[tuple[bytes, bytes]]
) -> None:
    assert headers.waiting(STANDARD, 1.5, variant, "number", by_requests=False) == LIMITS + waiting


def test_a_429_for_requests_names_the_reset_of_requests() -> None:
    found = dict(headers.waiting(STANDARD, 61.0, "reset", "duration", by_requests=True))
    assert found[b"x-ratelimit-reset-requests"] == b"1m1s"
    assert b"x-ratelimit-reset-tokens" not in found


def test_a_provisioned_429_carries_the_utilisation_and_both_waiting_headers() -> None:
    assert headers.waiting(PROVISIONED, 0.4, "both", "number", by_requests=False) == [
        (b"azure-openai-deployment-utilization", b"103.3%"),
        (b"retry-after-ms", b"400"),
        (b"retry-after", b"1"),
    ]
