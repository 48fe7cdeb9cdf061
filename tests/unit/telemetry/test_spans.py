"""Spans carry what the conventions ask for, belong to the right trace, and say when something went wrong."""

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from shared.errors import ModelFailed
from shared.telemetry import names
from shared.telemetry.facts import Limits, RunStarted
from shared.telemetry.otel.spans import attempt_span, run_span, traceparent
from tests.unit.telemetry.facts import SUBJECT, a_refusal, an_attempt
from tests.unit.telemetry.otel import Memory, measured

SENDER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SENDER_TRACE = int(SENDER.split("-")[1], 16)


def test_an_attempt_has_the_attributes_of_the_conventions_and_its_own_times(memory: Memory) -> None:
    attempt_span(memory.tracer, an_attempt())

    (span,) = memory.spans
    attributes = dict(span.attributes or {})

    assert (span.name, span.kind) == ("chat gpt-4o-mini", SpanKind.CLIENT)
    assert (span.start_time, span.end_time) == (1_000_000_000_000, 1_002_000_000_000)
    assert attributes[names.GEN_AI_PROVIDER_NAME] == attributes[names.GEN_AI_SYSTEM] == "azure.ai.openai"
    assert attributes[names.GEN_AI_USAGE_INPUT_TOKENS] == 1000
    assert attributes[names.DEPLOYMENT] == "chat-0"
    assert span.status.status_code is StatusCode.UNSET
    assert measured(attributes)[names.TIME_TO_FIRST_TOKEN_MS] == 250
    assert measured(attributes)[names.REMAINING_TOKENS] == 5000


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (a_refusal(), "quota"),
        (a_refusal(outcome="ignored", cause="server_fault", status=500), "server_fault"),
        (an_attempt(outcome="ignored", cause="content_filter", finish_reason="content_filter"), "content_filter"),
        (an_attempt(outcome="abandoned", status=0), "abandoned"),
    ],
    ids=["429", "fault", "filter", "abandoned"],
)
def test_an_attempt_that_gave_no_answer_is_an_error_because_azure_monitor_looks_at_nothing_else(
    memory: Memory, attempt: object, kind: str
) -> None:
    attempt_span(memory.tracer, attempt)  # type: ignore[arg-type]  # the facts of the parameters

    (span,) = memory.spans

    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})[names.ERROR_TYPE] == kind


def test_a_429_carries_the_wait_that_was_asked_for(memory: Memory) -> None:
    attempt_span(memory.tracer, a_refusal(limits=Limits(utilization_percent=101.5)))

    numbers = measured(memory.spans[0].attributes)

    assert numbers[names.RETRY_AFTER_MS] == 1500
    assert numbers[names.UTILIZATION_PERCENT] == 101.5


def test_attempts_belong_to_the_run_and_the_run_to_the_invocation(memory: Memory) -> None:
    with memory.tracer.start_as_current_span("request") as request, run_span(memory.tracer, RunStarted(SUBJECT, 1)):
        attempt_span(memory.tracer, an_attempt())

    attempt, run, _ = memory.spans

    assert attempt.parent is not None
    assert run.parent is not None
    assert run.context is not None
    assert attempt.parent.span_id == run.context.span_id
    assert run.parent.span_id == request.get_span_context().span_id
    assert list(run.links) == []


def test_without_an_invocation_of_its_own_a_run_joins_the_trace_of_its_message(memory: Memory) -> None:
    with run_span(memory.tracer, RunStarted(SUBJECT, 1, traceparent=SENDER)):
        pass

    (run,) = memory.spans

    assert run.context is not None
    assert run.context.trace_id == SENDER_TRACE
    assert list(run.links) == []


def test_a_run_whose_invocation_began_another_trace_is_linked_to_its_message(memory: Memory) -> None:
    with (
        memory.tracer.start_as_current_span("invocation"),
        run_span(memory.tracer, RunStarted(SUBJECT, 1, traceparent=SENDER)),
    ):
        pass

    run, invocation = memory.spans

    assert run.context is not None
    assert invocation.context is not None
    assert run.context.trace_id == invocation.context.trace_id
    assert [link.context.trace_id for link in run.links] == [SENDER_TRACE]


def test_a_retry_is_linked_to_the_run_before_it_in_the_same_trace(memory: Memory) -> None:
    with run_span(memory.tracer, RunStarted(SUBJECT, 1, traceparent=SENDER)) as first:
        first.outcome("deferred")
        sent = traceparent()
    with run_span(memory.tracer, RunStarted(SUBJECT, 2, copy="r1", traceparent=sent)):
        pass

    before, after = memory.spans

    assert before.context is not None
    assert [link.context.span_id for link in after.links] == [before.context.span_id]
    assert after.context is not None
    assert after.context.trace_id == SENDER_TRACE


@pytest.mark.parametrize("header", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff" + SENDER[2:]])
def test_a_trace_context_that_names_nothing_is_ignored(memory: Memory, header: str) -> None:
    with run_span(memory.tracer, RunStarted(SUBJECT, 1, traceparent=header)):
        pass

    assert memory.spans[0].parent is None
    assert list(memory.spans[0].links) == []


def test_a_failed_run_is_an_error_and_says_which(memory: Memory) -> None:
    with run_span(memory.tracer, RunStarted(SUBJECT, 1)) as run:
        run.outcome("failed", ModelFailed())

    (span,) = memory.spans

    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})[names.CODE] == "model_failed"


def test_an_exception_is_named_but_its_text_is_not_kept(memory: Memory) -> None:
    with pytest.raises(ValueError, match="secret"), run_span(memory.tracer, RunStarted(SUBJECT, 1)):
        raise ValueError("secret words of a caller")

    (span,) = memory.spans

    assert "secret" not in span.to_json()
    assert (span.attributes or {})[names.ERROR_TYPE] == "ValueError"


def test_nothing_is_sent_along_where_nothing_is_traced() -> None:
    assert not trace.get_current_span().get_span_context().is_valid
    assert traceparent() is None
