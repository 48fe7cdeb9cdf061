"""Spans: one for a run, one for an attempt. An attempt's span is made when it is over, with its own times."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.errors import SpillwayError
from shared.policies.classify import Outcome
from shared.telemetry import names
from shared.telemetry.facts import AttemptEnded, RunStarted
from shared.telemetry.observer import RunView
from shared.telemetry.otel.attributes import Attributes, measurements, milliseconds, of_subject, stage_lengths
from shared.turns import State

W3C = TraceContextTextMapPropagator()
NANOSECONDS = 1_000_000_000
BAD_ENDS = frozenset({State.FAILED.value, State.EXPIRED.value})


class SpanRun:
    """A run's span under way."""

    def __init__(self, span: Span) -> None:
        """Takes the span."""
        self._span = span

    def outcome(self, outcome: str, error: SpillwayError | None = None) -> None:
        """See `shared.telemetry.observer.RunView`."""
        code = None if error is None else error.code
        self._span.set_attribute(names.OUTCOME, outcome)
        if code is not None:
            self._span.set_attribute(names.CODE, code)
        if outcome in BAD_ENDS:
            self._span.set_attribute(names.ERROR_TYPE, code or outcome)
            self._span.set_status(Status(StatusCode.ERROR, code))


@contextmanager
def run_span(tracer: Tracer, started: RunStarted) -> Iterator[RunView]:
    """The span of a run, current inside the block.

    It belongs to the invocation's trace; where nobody traces invocations, to the trace that the message carried. A
    retry is linked to the run that put the turn to sleep, and so is a run whose invocation began a trace of its own.
    """
    here = trace.get_current_span().get_span_context()
    sender = sender_of(started.traceparent)
    context: Context | None = None
    links: list[Link] = []
    if sender is not None:
        if not here.is_valid:
            context = trace.set_span_in_context(NonRecordingSpan(sender))
        if started.copy or (here.is_valid and here.trace_id != sender.trace_id):
            links.append(Link(sender))
    # Exceptions are not recorded as they are: their messages can quote what a model or a caller said.
    with tracer.start_as_current_span(
        names.SPAN_RUN,
        context=context,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        if span.is_recording():
            span.set_attributes(_of_run(started))
        try:
            yield SpanRun(span)
        except Exception as fault:
            span.set_attribute(names.ERROR_TYPE, type(fault).__name__)
            span.set_status(Status(StatusCode.ERROR, type(fault).__name__))
            raise


def stages_on_run(timeline: Mapping[str, Any] | None) -> None:
    """Puts the stages of a turn that is over on the span of the run that ended it, beside what was measured there."""
    span = trace.get_current_span()
    if timeline is None or not span.is_recording() or getattr(span, "name", None) != names.SPAN_RUN:
        return
    attributes = getattr(span, "attributes", None) or {}
    before = json.loads(attributes.get(names.CUSTOM_MEASUREMENTS, "{}"))
    span.set_attributes(measurements(before | stage_lengths(timeline)))


def attempt_span(tracer: Tracer, attempt: AttemptEnded) -> None:
    """The span of an attempt that is over."""
    start = round(attempt.began_at * NANOSECONDS)
    span = tracer.start_span(f"{names.OPERATION_CHAT} {attempt.model}", kind=SpanKind.CLIENT, start_time=start)
    if not span.is_recording():
        return
    span.set_attributes(_of_attempt(attempt))
    if attempt.outcome != Outcome.SUCCESS.value:
        span.set_attribute(names.ERROR_TYPE, error_type(attempt))
        span.set_status(Status(StatusCode.ERROR, attempt.cause or attempt.outcome))
    span.end(start + round(attempt.duration_seconds * NANOSECONDS))


def error_type(attempt: AttemptEnded) -> str:
    """`error.type`: the cause when there is one, else the outcome."""
    return attempt.cause or attempt.outcome


def sender_of(traceparent: str | None) -> SpanContext | None:
    """The span context that a W3C header names; None when it names none."""
    if traceparent is None:
        return None
    found = trace.get_current_span(W3C.extract({"traceparent": traceparent}, Context())).get_span_context()
    return found if found.is_valid else None


def traceparent() -> str | None:
    """The W3C header of the current span; None when there is none."""
    carrier: dict[str, str] = {}
    W3C.inject(carrier)
    return carrier.get("traceparent")


def _of_run(started: RunStarted) -> Attributes:
    attributes = of_subject(started.subject) | {names.RUN: started.run}
    if started.copy:
        attributes[names.COPY] = started.copy
    return attributes | measurements({names.QUEUE_WAIT_MS: milliseconds(started.queue_wait_seconds)})


def _of_attempt(attempt: AttemptEnded) -> Attributes:
    host, port = attempt.server
    usage, limits = attempt.usage, attempt.limits
    attributes = of_subject(attempt.subject) | {
        names.GEN_AI_OPERATION_NAME: names.OPERATION_CHAT,
        names.GEN_AI_PROVIDER_NAME: names.PROVIDER_NAME,
        names.GEN_AI_SYSTEM: names.PROVIDER_NAME,
        names.GEN_AI_REQUEST_MODEL: attempt.model,
        names.GEN_AI_REQUEST_MAX_TOKENS: attempt.max_output_tokens,
        names.GEN_AI_REQUEST_STREAM: True,
        names.DEPLOYMENT: attempt.deployment,
        names.REGION: attempt.region,
        names.TIER: attempt.tier,
        names.OUTCOME: attempt.outcome,
        names.HTTP_STATUS: attempt.status,
        names.SERVER_ADDRESS: host,
        names.PEER_SERVICE: attempt.deployment,
    }
    if port is not None:
        attributes[names.SERVER_PORT] = port
    if attempt.cause is not None:
        attributes[names.CAUSE] = attempt.cause
    if attempt.finish_reason is not None:
        attributes[names.GEN_AI_RESPONSE_FINISH_REASONS] = attempt.finish_reason
    if attempt.first_token_seconds is not None:
        attributes[names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = attempt.first_token_seconds
    if limits is not None and limits.request_id is not None:
        attributes[names.SERVICE_REQUEST_ID] = limits.request_id
    if usage is not None:
        attributes |= {
            names.GEN_AI_USAGE_INPUT_TOKENS: usage.input_tokens,
            names.GEN_AI_USAGE_OUTPUT_TOKENS: usage.output_tokens,
            names.GEN_AI_USAGE_CACHED_TOKENS: usage.cached_tokens,
            names.GEN_AI_USAGE_REASONING_TOKENS: usage.reasoning_tokens,
        }
    return attributes | _measured(attempt)


def _measured(attempt: AttemptEnded) -> Attributes:
    usage, limits = attempt.usage, attempt.limits
    return measurements(
        {
            names.DURATION_MS: milliseconds(attempt.duration_seconds),
            names.TIME_TO_FIRST_TOKEN_MS: milliseconds(attempt.first_token_seconds),
            names.TIME_BETWEEN_TOKENS_MS: milliseconds(attempt.between_tokens_seconds),
            names.LONGEST_PAUSE_MS: milliseconds(attempt.longest_pause_seconds),
            names.RETRY_AFTER_MS: milliseconds(attempt.retry_after_seconds),
            names.REMAINING_TOKENS: None if limits is None else limits.remaining_tokens,
            names.REMAINING_REQUESTS: None if limits is None else limits.remaining_requests,
            names.UTILIZATION_PERCENT: None if limits is None else limits.utilization_percent,
            names.INPUT_TOKENS: None if usage is None else usage.input_tokens,
            names.OUTPUT_TOKENS: None if usage is None else usage.output_tokens,
            names.CACHED_TOKENS: None if usage is None else usage.cached_tokens,
            names.REASONING_TOKENS: None if usage is None else usage.reasoning_tokens,
        }
    )
