"""Planning, messages, records and the judge's call, without a network."""

import dataclasses
import math
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from evals.client import gate_json, item_json
from evals.orders import planted
from shared.capacity.attempts import Attempts, NoneLeft
from shared.evaluating.answers import AnswerReader
from shared.evaluating.evaluators import BOTH, GOLDEN, JUDGED, NAMES, PRODUCTION, build, most_judge_calls
from shared.evaluating.judge import CapacityJudge, JudgeBusy, JudgeFailed
from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.plan_run import chosen
from shared.evaluating.report import finite, gates_of
from shared.evaluating.requests import EvaluationRequest
from shared.evaluating.runs import EvaluationRun, RunItem, RunState, item_of, run_of
from shared.evaluating.score_item import record_item
from shared.evaluation.datasets.own import read_own
from shared.evaluation.gates import load_gates
from shared.evaluation.records import Item
from shared.ports import Chunk, ModelRefusal
from shared.turns import State, Usage
from tests.unit.evaluation.support import ROOT, judge
from tests.unit.samples import a_turn

from .support import HeldClock

RUN = EvaluationRun("r" * 32, "contoso", "golden", 1.0, 2.0, ("answered",))


@given(some.sets(some.text(min_size=1, max_size=5), min_size=1), some.integers(1, 50), some.integers(0, 9))
def test_a_sample_depends_on_ids_size_and_seed_and_not_on_their_order(ids: set[str], size: int, seed: int) -> None:
    shuffled = random.Random(0).sample(sorted(ids), len(ids))
    drawn = chosen(shuffled, size, seed)

    assert drawn == chosen(sorted(ids), size, seed)
    assert len(drawn) == len(set(drawn)) == min(size, len(ids))
    assert set(drawn) <= ids


def test_a_message_is_read_as_it_was_written_and_nothing_else_is_taken_for_one() -> None:
    message = EvaluationMessage(Work.TURN, "production-2026-01-01", "t", 5.0, "f", {"probability": 0.5})

    assert EvaluationMessage.decode(message.encode()) == message
    assert message.message_id == "turn:production-2026-01-01:t:f"
    for body in (
        b"",
        b"[]",
        b"{}",
        b'{"v": 99}',
        b"\xff",
        b'{"v":1,"work":"dance","run":"r","subject":"s","sent_at":1}',
    ):
        with pytest.raises(ValueError, match=r".+"):
            EvaluationMessage.decode(body)


def test_runs_and_items_are_read_as_they_were_written() -> None:
    run = dataclasses.replace(RUN, state=RunState.CLOSING, gates=({"name": "g"},), reasons=("a",), decision="GO")
    item = RunItem("r", "a/b#c?", "q?", dataclasses.asdict(Item("a/b#c?", "q?", tags=("x",), choices=("1", "2"))))

    assert run_of({**run.to_document(), "_etag": "1", "of_a_newer_version": 1}) == run
    assert item_of({**item.to_document(), "_etag": "1"}) == item
    assert not set("/#?") & set(item.document_id)
    assert record_item(item) == Item("a/b#c?", "q?", tags=("x",), choices=("1", "2"))


def test_the_golden_set_with_its_gates_and_planted_orders_is_a_valid_wish() -> None:
    gates = load_gates(ROOT / "evals" / "gates.toml")
    items = read_own(ROOT / "evals" / "golden" / "wallegpt.jsonl").items
    body = {
        "items": [item_json(item) for item in items] + planted(items),
        "gates": [gate_json(gate) for gate in gates.gates],
    }
    request = EvaluationRequest.model_validate(body)
    run = dataclasses.replace(RUN, gates=tuple(gate.model_dump() for gate in request.gates))

    assert gates_of(run).gates == gates.gates
    assert len(request.items) == 2 * len(items)


def test_evaluators_without_a_judge_are_those_that_need_none() -> None:
    alone, judged = build(NAMES, None, None), build(NAMES, judge("x"), None)

    assert {scorer.name for scorer in alone} == set(NAMES) - set(JUDGED)
    assert [scorer.name for scorer in judged] == list(NAMES)
    assert set(PRODUCTION) | set(GOLDEN) <= set(NAMES)
    assert most_judge_calls(NAMES, "") == 2 * (len(JUDGED) + len(BOTH))


class Passages:
    def __init__(self) -> None:
        self.asked = 0

    async def gather(self, turn: Any) -> Any:
        self.asked += 1
        return type("Context", (), {"passages": []})()


TIMELINE = {
    "total_ms": 5000,
    "stages": [
        {"name": "admission", "start_ms": 0, "duration_ms": 1000},
        {"name": "queue", "start_ms": 1000, "duration_ms": 2000},
        {"name": "context", "start_ms": 3000, "duration_ms": 500},
        {"name": "first_token", "start_ms": 3500, "duration_ms": 500},
        {"name": "stream", "start_ms": 4000, "duration_ms": 1000},
    ],
}


async def test_time_in_the_lane_counts_for_production_and_not_for_a_run() -> None:
    reader = AnswerReader(Passages(), {}, "v1")  # type: ignore[arg-type]  # a double of the gatherer
    turn = a_turn(state=State.SUCCEEDED, answer="hi", timeline=TIMELINE)
    run, _ = await reader.read(turn, item_id="i", model="m", waits_count=False)
    production, _ = await reader.read(turn, item_id="i", model="m", waits_count=True)

    assert (run.latency_seconds, run.first_token_seconds) == (2.0, 1.0)
    assert (production.latency_seconds, production.first_token_seconds) == (5.0, 4.0)


async def test_sources_that_the_turn_did_without_are_not_looked_up() -> None:
    passages = Passages()
    reader = AnswerReader(passages, {}, "v1")  # type: ignore[arg-type]  # a double of the gatherer
    for turn in (
        a_turn(state=State.SUCCEEDED, answer="hi", timeline={**TIMELINE, "dropped": ["knowledge"]}),
        a_turn(state=State.SUCCEEDED, answer="hi", use_context=False),
        a_turn(state=State.FAILED, error={"code": "content_filtered", "message": "The content filter refused"}),
    ):
        answer, _ = await reader.read(turn, item_id="i", model="m", waits_count=False)

    assert passages.asked == 0
    assert answer.error == "content_filtered: The content filter refused"


class Watch:
    def __init__(self) -> None:
        self.told: list[str] = []

    def refuse(self, *_: Any) -> None:
        self.told.append("refuse")

    def leave(self) -> None:
        self.told.append("leave")

    def end(self, *_: Any) -> None:
        self.told.append("end")


class Calls:
    """Attempts that end as the test says."""

    def __init__(self, ends: Exception | list[Chunk | Exception]) -> None:
        self.ends, self.watch, self.learned, self.closed = ends, Watch(), 0, 0
        self.headers: Mapping[str, str] = {}
        self.parameters: dict[str, Any] = {}

    async def first_token(self, turn: Any, messages: Any, **_: Any) -> Any:
        self.parameters = turn.parameters
        if isinstance(self.ends, Exception):
            raise self.ends
        first, *rest = self.ends
        return type(
            "Answering",
            (),
            {"deployment": None, "stream": self, "chunks": self._chunks(rest), "first": first, "watch": self.watch},
        )()

    async def _chunks(self, rest: list[Chunk | Exception]) -> AsyncIterator[Chunk]:
        for chunk in rest:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def learn(self, *_: Any) -> None:
        self.learned += 1

    async def close(self) -> None:
        self.closed += 1


class Words:
    def count(self, text: str) -> int:
        return len(text.split())


def a_judge(calls: Calls) -> CapacityJudge:
    attempts: Attempts = calls  # type: ignore[assignment]  # a double of the attempts
    return CapacityJudge(
        attempts=attempts, counter=Words(), clock=HeldClock(), model="judge", subject="turn1", tenant="contoso"
    )


async def ask(found: CapacityJudge) -> Any:
    return await found.complete([{"role": "user", "content": "x"}], max_output_tokens=9, response_format={"type": "t"})


async def test_the_judge_gives_the_whole_text_and_its_usage() -> None:
    calls = Calls([Chunk('{"score"'), Chunk(": 4}"), Chunk("", "stop"), Chunk("", None, Usage(30, 5))])
    completion = await ask(a_judge(calls))

    assert (completion.text, completion.input_tokens, completion.output_tokens) == ('{"score": 4}', 30, 5)
    assert calls.parameters == {"temperature": 0, "response_format": {"type": "t"}}
    assert (calls.closed, calls.watch.told) == (1, ["end", "leave"])


@pytest.mark.parametrize(("wait", "busy"), [(3.0, 3.0), (math.inf, 5.0), (9999.0, 300.0), (0.0, 0.5)])
async def test_a_judge_without_capacity_says_when_to_come_back(wait: float, busy: float) -> None:
    found = a_judge(Calls(NoneLeft(wait, False, [])))
    with pytest.raises(JudgeBusy) as caught:
        await ask(found)

    assert found.busy_seconds == caught.value.retry_after_seconds == busy


@pytest.mark.parametrize("end", [[Chunk("abc")], [Chunk("abc"), ModelRefusal(0, None, "cut", {})]])
async def test_an_answer_that_breaks_off_is_a_failure_and_the_capacity_learns_of_it(end: list[Any]) -> None:
    calls = Calls(end)
    with pytest.raises(JudgeFailed, match="broke off"):
        await ask(a_judge(calls))

    assert (calls.learned, calls.closed) == (1, 1)


def test_numbers_that_json_cannot_express_become_none() -> None:
    assert finite({"a": [math.inf, 1.0, (math.nan, "x")], "b": {"c": -math.inf}}) == {
        "a": [None, 1.0, [None, "x"]],
        "b": {"c": None},
    }
