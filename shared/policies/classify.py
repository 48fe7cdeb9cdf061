"""What a refusal of a model deployment means: its outcome, its cause, and when it makes sense to come back.

One status, four causes: a 429 is the deployment's own quota, a shortage in the region, a temporary cut of the quota
(`x-ratelimit-limit-tokens` below what was bought), or a request larger than the quota can ever take.
Source: learn.microsoft.com, Azure OpenAI quota and limits, 2026; users' reports of header variants since 2023.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt counts for the deployment's capacity."""

    SUCCESS = "success"
    """Answered: capacity was there."""
    IGNORED = "ignored"
    """Says nothing about capacity: a fault, a filter, a bad request."""
    OVERLOAD = "overload"
    """The deployment had no capacity: it is left alone until the stated time."""


class Cause(StrEnum):
    """Why an attempt did not succeed."""

    QUOTA = "quota"
    CAPACITY = "capacity"
    TEMPORARY_CUT = "temporary_cut"
    OVERSIZED = "oversized"
    CONTENT_FILTER = "content_filter"
    BAD_REQUEST = "bad_request"
    CREDENTIAL = "credential"
    SERVER_FAULT = "server_fault"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a refusal.

    Attributes:
        retryable: Another deployment, or this one later, may answer the same request.
        retry_after_seconds: What the service asked for; None when it did not say.
        limit_tokens: The token limit in force per minute, when the service named one below the configured limit.
    """

    outcome: Outcome
    cause: Cause
    retryable: bool
    retry_after_seconds: float | None = None
    limit_tokens: int | None = None


DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
MOST_SECONDS = 86_400.0
CAPACITY_WORDS = ("high demand", "system capacity", "currently overloaded", "no capacity", "server is busy")
OVERSIZED_WORDS = ("too large", "exceeds the limit", "larger than", "request too")


def classify(
    *, status: int, code: str | None, message: str, headers: Mapping[str, str], configured_tokens_per_minute: int
) -> Verdict:
    """The verdict on a refusal.

    Args:
        status: HTTP status; 0 when there was no answer.
        code: Error code in the body.
        message: Error message in the body.
        headers: Response headers, names in lower case.
        configured_tokens_per_minute: What the deployment is set up with.
    """
    if status == 429:
        return _overload(message.lower(), headers, configured_tokens_per_minute)
    if status == 0:
        return Verdict(Outcome.IGNORED, Cause.UNREACHABLE, retryable=True)
    if code == "content_filter":
        return Verdict(Outcome.IGNORED, Cause.CONTENT_FILTER, retryable=False)
    if status in {401, 403, 404} or 300 <= status < 400:
        # The endpoint, the name or the key is not right; a redirect is not followed, it would take the key elsewhere.
        return Verdict(Outcome.IGNORED, Cause.CREDENTIAL, retryable=True)
    if status in {408, 409} or status >= 500:
        return Verdict(Outcome.IGNORED, Cause.SERVER_FAULT, retryable=True, retry_after_seconds=retry_after(headers))
    return Verdict(Outcome.IGNORED, Cause.BAD_REQUEST, retryable=False)


def _overload(message: str, headers: Mapping[str, str], configured: int) -> Verdict:
    wait = retry_after(headers)
    limit = _number(headers.get("x-ratelimit-limit-tokens"))
    if any(words in message for words in OVERSIZED_WORDS):
        return Verdict(Outcome.OVERLOAD, Cause.OVERSIZED, retryable=True, retry_after_seconds=wait)
    if any(words in message for words in CAPACITY_WORDS):
        return Verdict(Outcome.OVERLOAD, Cause.CAPACITY, retryable=True, retry_after_seconds=wait)
    if limit is not None and 1 <= limit < configured:
        return Verdict(
            Outcome.OVERLOAD, Cause.TEMPORARY_CUT, retryable=True, retry_after_seconds=wait, limit_tokens=int(limit)
        )
    return Verdict(Outcome.OVERLOAD, Cause.QUOTA, retryable=True, retry_after_seconds=wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, at most a day, from the most exact header given; None when there is none.

    `retry-after-ms` is exact, `retry-after` is in seconds, and the reset headers say when the spent budget is back;
    of those, the one still at zero counts, else the later.
    """
    wait = _wait(headers)
    return None if wait is None else min(wait, MOST_SECONDS)


def _wait(headers: Mapping[str, str]) -> float | None:
    exact = _number(headers.get("retry-after-ms"))
    if exact is not None:
        return exact / 1000
    seconds = _number(headers.get("retry-after"))
    if seconds is not None:
        return seconds
    resets = {
        kind: _seconds(headers.get(f"x-ratelimit-reset-{kind}") or headers.get(f"x-rate-limit-reset-{kind}"))
        for kind in ("tokens", "requests")
    }
    spent = [
        reset
        for kind, reset in resets.items()
        if reset is not None and _number(headers.get(f"x-ratelimit-remaining-{kind}")) in {0, None}
    ]
    known = spent or [reset for reset in resets.values() if reset is not None]
    return max(known, default=None)


def named_limit(headers: Mapping[str, str]) -> float | None:
    """Tokens per minute that an answer's headers name as the deployment's limit; None when they do not."""
    return _number(headers.get("x-ratelimit-limit-tokens")) or None


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    plain = _number(text)
    if plain is not None:
        return plain
    match = DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None
