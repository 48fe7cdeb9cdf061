"""One call, timed: the first attempt and the only one, so that no retry hides what a caller meets."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI

from bench.latency.plan import Cell


@dataclass(slots=True)
class Sample:
    """What became of one call. Times are milliseconds from the moment it was meant to be sent.

    Attributes:
        round: From 0.
        at: Seconds since 1970.
        status: 200, the HTTP status of a refusal, or 0 without an answer.
        error: Error code, or the kind of the fault; None for an answer.
        headers_ms: Until the response's headers.
        first_ms: Until the first text.
        last_ms: Until the last text.
        between_ms: Mean pause between pieces of text; None with fewer than two.
        longest_ms: The longest of them.
        facts: What the response's headers and its usage say.
    """

    round: int
    prompt_size: int
    output_size: int
    target: str
    at: float
    status: int = 0
    error: str | None = None
    headers_ms: float | None = None
    first_ms: float | None = None
    last_ms: float | None = None
    between_ms: float | None = None
    longest_ms: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """The whole answer came."""
        return self.error is None

    @property
    def throttled(self) -> bool:
        """It was refused for want of quota or capacity."""
        return self.status == 429

    @property
    def cell(self) -> Cell:
        """What was measured."""
        return Cell(self.target, self.prompt_size, self.output_size)


async def measure(
    client: AsyncOpenAI, deployment: str, cell: Cell, number: int, content: str, *, late_seconds: float = 0.0
) -> Sample:
    """Makes one call.

    Args:
        client: With retries off.
        deployment: What to call.
        cell: What it stands for.
        number: The round.
        content: The prompt.
        late_seconds: How much later than intended it begins; part of the wait (no coordinated omission).
    """
    sample = Sample(number, cell.prompt_tokens, cell.output_tokens, cell.target, time.time())
    began = time.perf_counter() - late_seconds

    def elapsed() -> float:
        return (time.perf_counter() - began) * 1000

    try:
        raw = await client.chat.completions.with_raw_response.create(
            model=deployment,
            messages=[{"role": "user", "content": content}],
            max_completion_tokens=cell.output_tokens,
            stream=True,
            stream_options={"include_usage": True},
        )
        sample.status, sample.headers_ms = raw.status_code, elapsed()
        sample.facts = facts_in(raw.headers)
        async with raw.parse() as stream:
            await _read(stream, sample, elapsed)
    except openai.APIStatusError as fault:
        sample.status, sample.error = fault.status_code, str(fault.code or fault.status_code)
        sample.facts = facts_in(fault.response.headers)
    except (openai.OpenAIError, httpx2.HTTPError) as fault:
        sample.error = type(fault).__name__
    return sample


async def _read(stream: Any, sample: Sample, elapsed: Any) -> None:
    pieces, longest, finish = 0, 0.0, None
    async for event in stream:
        choice = event.choices[0] if event.choices else None
        if choice is not None and choice.delta is not None and choice.delta.content:
            now = elapsed()
            if sample.first_ms is None:
                sample.first_ms = now
            else:
                longest = max(longest, now - (sample.last_ms or now))
            sample.last_ms, pieces = now, pieces + 1
        if choice is not None and choice.finish_reason:
            finish = choice.finish_reason
        if event.usage is not None:
            details = event.usage.prompt_tokens_details
            sample.facts |= {
                "prompt_tokens": event.usage.prompt_tokens,
                "output_tokens": event.usage.completion_tokens,
                "cached_tokens": (details.cached_tokens or 0) if details else 0,
            }
    if finish is None:
        sample.error = "broken_stream"
    elif sample.first_ms is None or sample.last_ms is None:
        sample.error = "no_text"
    elif pieces > 1:
        sample.between_ms = (sample.last_ms - sample.first_ms) / (pieces - 1)
        sample.longest_ms = longest
    sample.facts |= {"pieces": pieces, "finish_reason": finish}


def facts_in(headers: Mapping[str, str]) -> dict[str, Any]:
    """Region, request id, what is left of the quota, and the load of a provisioned deployment."""
    lower = {name.lower(): value for name, value in headers.items()}
    found = {
        "region": lower.get("x-ms-region"),
        "request_id": lower.get("apim-request-id") or lower.get("x-request-id"),
        "remaining_tokens": _number(lower.get("x-ratelimit-remaining-tokens")),
        "limit_tokens": _number(lower.get("x-ratelimit-limit-tokens")),
        "remaining_requests": _number(lower.get("x-ratelimit-remaining-requests")),
        "limit_requests": _number(lower.get("x-ratelimit-limit-requests")),
        "utilization_percent": _number((lower.get("azure-openai-deployment-utilization") or "").rstrip("% ")),
        "retry_after_ms": _number(lower.get("retry-after-ms")),
        "spilled_from": lower.get("x-ms-spillover-from-deployment"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
