"""Times one call to a deployment and tells the observer how it went, once."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from shared.policies.classify import Cause, Outcome, Verdict
from shared.ports import Clock, ModelRefusal
from shared.settings import Deployment
from shared.telemetry.facts import AttemptEnded, Limits, Subject
from shared.telemetry.observer import Observer
from shared.turns import Turn, Usage

ABANDONED = "abandoned"
"""Outcome of a call that this side gave up: the caller cancelled, the run was lost or the instance stops."""


class AttemptWatch:
    """One call under way."""

    __slots__ = (
        "_began",
        "_began_at",
        "_clock",
        "_deployment",
        "_first_at",
        "_last_at",
        "_longest",
        "_max_output_tokens",
        "_observer",
        "_pieces",
        "_subject",
        "_told",
    )

    def __init__(
        self, observer: Observer, clock: Clock, turn: Turn, deployment: Deployment, max_output_tokens: int
    ) -> None:
        """Starts the watch."""
        self._observer, self._clock, self._deployment = observer, clock, deployment
        self._subject, self._max_output_tokens = Subject.of(turn), max_output_tokens
        self._began_at, self._began = clock.now(), clock.monotonic()
        self._first_at = self._last_at = self._longest = 0.0
        self._pieces = 0
        self._told = False

    def piece(self, count: int = 1) -> None:
        """Text came, in so many pieces at once."""
        now = self._clock.monotonic()
        if self._pieces == 0:
            self._first_at = now
        elif now - self._last_at > self._longest:
            self._longest = now - self._last_at
        self._last_at = now
        self._pieces += count

    @property
    def between_tokens_seconds(self) -> float | None:
        """Mean pause between pieces so far; None with fewer than two."""
        return None if self._pieces < 2 else (self._last_at - self._first_at) / (self._pieces - 1)

    def end(self, finish_reason: str | None, usage: Usage | None, headers: Mapping[str, str]) -> None:
        """The answer is complete, or the service's filter ended it."""
        filtered = finish_reason == "content_filter"
        self._tell(
            (Outcome.IGNORED if filtered else Outcome.SUCCESS).value,
            cause=Cause.CONTENT_FILTER.value if filtered else None,
            finish_reason=finish_reason,
            usage=usage,
            limits=limits_in(headers),
        )

    def refuse(self, refusal: ModelRefusal, verdict: Verdict) -> None:
        """The deployment refused the call, or its answer broke off."""
        self._tell(
            verdict.outcome.value,
            cause=verdict.cause.value,
            status=refusal.status,
            retry_after_seconds=verdict.retry_after_seconds,
            limits=limits_in(refusal.headers),
        )

    def leave(self) -> None:
        """This side gives up; means nothing for a call that has ended."""
        self._tell(ABANDONED, status=0)

    def _tell(self, outcome: str, **more: Any) -> None:
        if self._told:
            return
        self._told = True
        deployment = self._deployment
        several = self._pieces > 1
        self._observer.tell(
            AttemptEnded(
                subject=self._subject,
                deployment=deployment.name,
                model=deployment.model,
                region=deployment.region,
                tier=deployment.tier.value,
                server=server_of(deployment.endpoint),
                max_output_tokens=self._max_output_tokens,
                began_at=self._began_at,
                duration_seconds=self._clock.monotonic() - self._began,
                outcome=outcome,
                first_token_seconds=self._first_at - self._began if self._pieces else None,
                between_tokens_seconds=self.between_tokens_seconds,
                longest_pause_seconds=self._longest if several else None,
                **more,
            )
        )


@cache
def server_of(endpoint: str) -> tuple[str, int | None]:
    """Host name and port of an endpoint, the port only when it is written and valid."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", None
    return host, port


def limits_in(headers: Mapping[str, str]) -> Limits:
    """What response headers (names in lower case) say of quota and load.

    Source: learn.microsoft.com, Azure OpenAI quota and provisioned throughput, 2026.
    """
    return Limits(
        remaining_tokens=_number(headers.get("x-ratelimit-remaining-tokens")),
        remaining_requests=_number(headers.get("x-ratelimit-remaining-requests")),
        utilization_percent=_number((headers.get("azure-openai-deployment-utilization") or "").rstrip("% ") or None),
        request_id=_short(headers.get("apim-request-id") or headers.get("x-request-id")),
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _short(text: str | None) -> str | None:
    return text[:100] if text else None
