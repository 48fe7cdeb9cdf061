"""The observer takes every kind of fact, does nothing where nothing listens, and the door tells of its decisions."""

import subprocess
import sys
import typing
from dataclasses import dataclass

import pytest

from shared.errors import CapacityExhausted, DeadlineExceeded, ModelFailed, SpillwayError
from shared.telemetry.admission import announced
from shared.telemetry.facts import Fact, RequestAccepted, RequestRefused, RunStarted
from shared.telemetry.observer import SILENT, Observer, settled
from shared.telemetry.otel.observer import OpenTelemetryObserver
from shared.telemetry.recorder import Recorder
from shared.turns import Turn
from tests.processes import ROOT
from tests.unit.samples import a_turn
from tests.unit.telemetry.facts import SUBJECT, a_refusal, an_attempt, an_end


def test_every_kind_of_fact_has_someone_who_takes_it() -> None:
    observer = OpenTelemetryObserver({})

    assert set(observer._tellers) == set(typing.get_args(Fact))


@pytest.mark.parametrize("observer", [SILENT, OpenTelemetryObserver({})], ids=["silent", "no provider"])
def test_where_nothing_listens_facts_go_nowhere_and_nothing_is_sent_along(observer: Observer) -> None:
    for fact in (an_attempt(), a_refusal(), an_end()):
        observer.tell(fact)
    with observer.run(RunStarted(SUBJECT, 1)) as run:
        run.outcome("failed", ModelFailed())
        assert observer.traceparent() is None


@pytest.mark.parametrize(
    ("error", "outcome"), [(None, "deferred"), (DeadlineExceeded(), "expired"), (ModelFailed(), "failed")]
)
def test_a_run_that_could_not_answer_ends_as_its_turn_did(error: SpillwayError | None, outcome: str) -> None:
    assert settled(error) == outcome


@dataclass
class Answer:
    """What an acceptor gives."""

    turn: Turn
    fresh: bool = True


@dataclass
class Door:
    """An acceptor that takes or refuses."""

    observer: Recorder
    refusal: SpillwayError | None = None

    @announced
    async def accept(self, turn: Turn, *, waits: bool) -> Answer:
        if self.refusal is not None:
            raise self.refusal
        return Answer(turn)


async def test_the_door_tells_what_it_took_and_what_it_refused() -> None:
    recorder = Recorder()
    await Door(recorder).accept(a_turn(), waits=True)
    with pytest.raises(CapacityExhausted):
        await Door(recorder, CapacityExhausted()).accept(a_turn(), waits=True)

    assert [fact.subject.tenant for fact in recorder.of(RequestAccepted)] == ["contoso"]
    assert recorder.of(RequestRefused) == [RequestRefused("contoso", "interactive", "capacity_exhausted")]


def test_the_app_neither_sets_up_nor_imports_an_exporter() -> None:
    script = "import sys; sys.path.append('.'); import shared.wiring; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()

    assert "opentelemetry.trace" in loaded
    assert not [name for name in loaded if name.startswith(("azure.monitor", "opentelemetry.sdk"))]
