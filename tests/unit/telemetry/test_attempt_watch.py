"""A watch tells of its call once, with the times that were."""

from dataclasses import dataclass

from shared.policies.classify import Cause, Outcome, Verdict
from shared.ports import ModelRefusal
from shared.settings import Deployment
from shared.telemetry.attempt_watch import AttemptWatch, limits_in, server_of
from shared.telemetry.facts import AttemptEnded, Limits
from shared.telemetry.recorder import Recorder
from tests.unit.samples import a_turn
from tests.unit.telemetry.facts import USAGE

DEPLOYMENT = Deployment("chat-0", "gpt-4o-mini", "https://example.openai.azure.com/openai/v1/", "d")
REFUSAL = ModelRefusal(429, "429", "slow down", {"retry-after-ms": "1500", "x-ratelimit-remaining-tokens": "0"})


@dataclass
class Clock:
    """Time that stands still."""

    time: float = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def watched(recorder: Recorder, clock: Clock) -> AttemptWatch:
    return AttemptWatch(recorder, clock, a_turn(), DEPLOYMENT, 800)


def test_pauses_are_measured_between_pieces_and_the_first_counts_from_the_call() -> None:
    recorder, clock = Recorder(), Clock()
    watch = watched(recorder, clock)
    for pause in (0.5, 0.1, 0.3):
        clock.time += pause
        watch.piece()
    clock.time += 1
    watch.end("stop", USAGE, {"azure-openai-deployment-utilization": "87.5%"})

    (fact,) = recorder.of(AttemptEnded)

    assert fact.outcome == "success"
    assert round(fact.first_token_seconds or 0, 6) == 0.5
    assert round(fact.between_tokens_seconds or 0, 6) == 0.2
    assert round(fact.longest_pause_seconds or 0, 6) == 0.3
    assert round(fact.duration_seconds, 6) == 1.9
    assert fact.limits == Limits(utilization_percent=87.5)


def test_a_call_is_told_once_whatever_comes_after() -> None:
    recorder = Recorder()
    watch = watched(recorder, Clock())
    watch.refuse(REFUSAL, Verdict(Outcome.OVERLOAD, Cause.QUOTA, retryable=True, retry_after_seconds=1.5))
    watch.end("stop", None, {})
    watch.leave()

    (fact,) = recorder.of(AttemptEnded)

    assert (fact.outcome, fact.cause, fact.status, fact.retry_after_seconds) == ("overload", "quota", 429, 1.5)
    assert fact.limits == Limits(remaining_tokens=0)
    assert fact.first_token_seconds is None


def test_an_answer_that_the_filter_ended_is_no_success() -> None:
    recorder = Recorder()
    watched(recorder, Clock()).end("content_filter", USAGE, {})

    assert [(fact.outcome, fact.cause) for fact in recorder.of(AttemptEnded)] == [("ignored", "content_filter")]


def test_a_call_that_this_side_left_is_abandoned() -> None:
    recorder = Recorder()
    watched(recorder, Clock()).leave()

    assert [(fact.outcome, fact.status) for fact in recorder.of(AttemptEnded)] == [("abandoned", 0)]


def test_headers_and_addresses_that_make_no_sense_are_left_out() -> None:
    headers = {
        "x-ratelimit-remaining-tokens": "many",
        "azure-openai-deployment-utilization": "-%",
        "x-request-id": "i" * 999,
    }

    assert limits_in(headers) == Limits(request_id="i" * 100)
    assert server_of("http://host:99999/v1") == ("", None)
    assert server_of("http://127.0.0.1:9000/v1") == ("127.0.0.1", 9000)
