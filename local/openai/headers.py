"""The headers that every answer of a deployment carries, and the ways in which a 429 says when to come back."""

import math
import uuid

from local.openai.config import Deployment
from local.openai.quota.decision import Standing
from local.openai.regions import display

Header = tuple[bytes, bytes]

_ALWAYS: tuple[Header, ...] = (
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
    (b"x-content-type-options", b"nosniff"),
)


def identity(deployment: Deployment | None, client_request_id: bytes) -> list[Header]:
    """Request ids, region and deployment; the caller's own id comes back when it is sent."""
    request_id = str(uuid.uuid4()).encode()
    headers = [
        *_ALWAYS,
        (b"apim-request-id", request_id),
        (b"x-request-id", str(uuid.uuid4()).encode()),
        (b"x-ms-client-request-id", client_request_id or request_id),
    ]
    if deployment is not None:
        headers += [
            (b"x-ms-region", display(deployment.region).encode("latin-1", "replace")),
            (b"x-ms-deployment-name", deployment.name.encode()),
        ]
    return headers


def standing(deployment: Deployment, now: Standing) -> list[Header]:
    """Limits of a standard deployment, or the utilisation of a provisioned one."""
    if now.utilization_percent is not None:
        return [(b"azure-openai-deployment-utilization", b"%.1f%%" % now.utilization_percent)]
    return [
        *_limits(now),
        (b"x-ratelimit-reset-requests", reset_value(now.reset_requests_seconds, deployment.reset_format)),
        (b"x-ratelimit-reset-tokens", reset_value(now.reset_tokens_seconds, deployment.reset_format)),
    ]


def waiting(now: Standing, wait_seconds: float, variant: str, reset_format: str, *, by_requests: bool) -> list[Header]:
    """The headers of a 429.

    Args:
        now: Where the deployment stands.
        wait_seconds: When to come back.
        variant: `both`, `ms` and `seconds` send `retry-after-ms`, `retry-after` or both of them besides the reset
            headers, `reset` sends the reset headers alone, `none` says nothing of time.
        reset_format: `number`, `seconds` or `duration`.
        by_requests: The requests ran out, not the tokens.
    """
    headers = [] if now.utilization_percent is not None else _limits(now)
    if now.utilization_percent is not None:
        headers += [(b"azure-openai-deployment-utilization", b"%.1f%%" % now.utilization_percent)]
    if variant in {"both", "ms"}:
        headers.append((b"retry-after-ms", b"%d" % math.ceil(wait_seconds * 1000)))
    if variant in {"both", "seconds"}:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(wait_seconds))))
    if variant == "reset" or (variant != "none" and now.utilization_percent is None):
        name = b"x-ratelimit-reset-requests" if by_requests else b"x-ratelimit-reset-tokens"
        headers.append((name, reset_value(wait_seconds, reset_format)))
    return headers


def reset_value(seconds: float, reset_format: str) -> bytes:
    """A time until reset as `360` (number), `360s` (seconds) or `6m0s` (duration), rounded up."""
    whole = math.ceil(seconds)
    if reset_format == "number":
        return b"%d" % whole
    if reset_format == "seconds" or whole < 60:
        return b"%ds" % whole
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return (b"%dh" % hours if hours else b"") + b"%dm%ds" % (minutes, rest)


def _limits(now: Standing) -> list[Header]:
    return [
        (b"x-ratelimit-limit-requests", b"%d" % now.limit_requests),
        (b"x-ratelimit-limit-tokens", b"%d" % now.limit_tokens),
        (b"x-ratelimit-remaining-requests", b"%d" % now.remaining_requests),
        (b"x-ratelimit-remaining-tokens", b"%d" % now.remaining_tokens),
    ]
