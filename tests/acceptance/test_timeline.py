"""The stages of a turn against the caller's own stopwatch: no gap, nothing counted twice, the same word everywhere."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.api.views import TimelineReply
from shared.timelines.stages import STAGES
from tests.acceptance.stack import MODEL, OTHER, Answer, Stack, ask, deployments

ROUNDS = 5


@dataclass
class Timed:
    """A turn: what the caller's stopwatch said, and what the timeline says."""

    answer: Answer
    stopwatch_ms: float

    @property
    def timeline(self) -> dict[str, Any]:
        timeline: dict[str, Any] = self.answer.last["timeline"]
        return timeline

    @property
    def stages(self) -> dict[str, float]:
        return {stage["name"]: stage["duration_ms"] for stage in self.timeline["stages"]}

    @property
    def missing(self) -> float:
        """What the stages leave unexplained, as a share of the wait."""
        return abs(self.stopwatch_ms - self.timeline["total_ms"]) / self.stopwatch_ms


def timed(client: Any, lane: str, *, headers: dict[str, str] | None = None) -> Timed:
    began, sent = time.perf_counter(), time.time()
    sent_at = {"x-spillway-sent-at": f"{sent:.6f}", **(headers or {})}
    answer = ask(client, "Hello", lane=lane, session_id="one", headers=sent_at)
    return Timed(answer, (time.perf_counter() - began) * 1000)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Long enough that a share of the wait is more than the noise of a busy machine.
    models = deployments(count=1, between_tokens_ms=10, answer_tokens=30)
    stack = Stack(tmp_path_factory.mktemp("timeline"), models=models)
    try:
        yield stack.start()
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def turns(stack: Stack) -> dict[str, list[Timed]]:
    """Turns of both paths, alternating."""
    found: dict[str, list[Timed]] = {"interactive": [], "standard": []}
    with stack.client() as client:
        for lane in [*found] * (ROUNDS + 1):
            found[lane].append(timed(client, lane))
    return found


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_the_stages_add_up_to_what_the_caller_waited(turns: dict[str, list[Timed]], lane: str) -> None:
    warm = turns[lane][1:]

    # The middle of many: on a shared machine single turns wait for the processor where nobody's clock looks.
    assert statistics.median(turn.missing for turn in warm) <= 0.01


@pytest.mark.parametrize("lane", ["interactive", "standard"])
def test_stages_follow_one_another_without_gap_and_in_order(turns: dict[str, list[Timed]], lane: str) -> None:
    for turn in turns[lane]:
        end = 0.0
        for stage in turn.timeline["stages"]:
            assert stage["start_ms"] == pytest.approx(end, abs=1e-6)
            assert stage["duration_ms"] >= 0
            end = stage["start_ms"] + stage["duration_ms"]
        assert end == pytest.approx(turn.timeline["total_ms"], abs=1e-6)
        assert turn.timeline["complete"]
        assert turn.timeline["total_ms"] <= turn.stopwatch_ms
        assert set(turn.stages) <= set(STAGES)
        assert len(turn.stages) == len(turn.timeline["stages"])


def test_each_path_has_its_stages(turns: dict[str, list[Timed]]) -> None:
    both = {"client_send", "receive", "validation", "admission", "store_accept", "dispatch", "context", "prompt"}
    both |= {"grant", "connect", "first_token", "stream", "store", "relay"}

    assert set(turns["interactive"][1].stages) == both
    assert set(turns["standard"][1].stages) == both | {"enqueue", "queue"}


def test_what_ran_in_parallel_and_what_was_waited_for_is_told(turns: dict[str, list[Timed]]) -> None:
    for turn in (turns["interactive"][1], turns["standard"][1]):
        steps = {step["name"]: step for step in turn.timeline["steps"]}

        assert set(steps) == {"history", "knowledge", "embedding", "search"}
        assert steps["knowledge"]["critical"]
        assert steps["search"]["needs"] == ["embedding"]
        assert steps["history"]["start_ms"] < steps["knowledge"]["start_ms"] + steps["knowledge"]["duration_ms"]


def test_the_first_invocation_of_each_process_is_flagged(turns: dict[str, list[Timed]]) -> None:
    assert turns["interactive"][0].timeline["cold_start"]
    assert turns["interactive"][0].stages["start"] > 0
    assert "start" not in turns["interactive"][-1].stages


def test_the_record_and_the_route_tell_the_same_up_to_the_last_write(
    stack: Stack, turns: dict[str, list[Timed]]
) -> None:
    for turn in (turns["interactive"][1], turns["standard"][1]):
        turn_id = turn.answer.events[0][2]["turn_id"]
        with stack.client() as client, stack.client(OTHER) as other:
            reply = TimelineReply.model_validate(client.get(f"/api/chat/{turn_id}/timeline").json())
            record = client.get(f"/api/chat/{turn_id}").json()["timeline"]
            foreign = other.get(f"/api/chat/{turn_id}/timeline")
        kept = {stage.name: stage.duration_ms for stage in reply.timeline.stages}

        assert not reply.timeline.complete
        assert record["total_ms"] == reply.timeline.total_ms < turn.timeline["total_ms"]
        assert {name: kept[name] for name in ("context", "first_token", "stream")} == {
            name: turn.stages[name] for name in ("context", "first_token", "stream")
        }
        assert foreign.status_code == 404


def test_a_clock_that_cannot_be_right_is_named_and_changes_nothing(stack: Stack) -> None:
    with stack.client() as client:
        for wrong in (str(time.time() + 3600), str(time.time() - 3600), "yesterday", "1e400", "t=-5"):
            turn = timed(client, "interactive", headers={"x-spillway-sent-at": wrong})

            assert turn.timeline["doubted_clocks"] == ["x-spillway-sent-at"]
            assert "client_send" not in turn.stages
            assert turn.timeline["total_ms"] <= turn.stopwatch_ms


def test_the_time_before_the_app_is_split_where_a_proxy_stamped_the_request(stack: Stack) -> None:
    now = time.time()
    headers = {"x-spillway-sent-at": f"{(now - 0.5) * 1000:.0f}", "x-request-start": f"t={(now - 0.2) * 1e6:.0f}"}
    with stack.client() as client:
        turn = timed(client, "interactive", headers=headers)

    assert turn.stages["client_send"] == pytest.approx(300, abs=2)
    assert turn.stages["front_end"] >= 199


def test_a_turn_that_slept_says_how_long(stack: Stack) -> None:
    stack.fault(kind="quota", deployment="chat-0", count=1, retry_after_ms=1500, headers="ms")
    with stack.client() as client:
        turn = timed(client, "interactive")

    assert turn.stages["deferral"] + turn.stages["queue"] >= 1000
    assert len(turn.stages) == len(turn.timeline["stages"])
    assert turn.missing <= 0.05
    assert turn.timeline["total_ms"] <= turn.stopwatch_ms


def test_headers_carry_the_stages_that_are_known_when_they_go_out(stack: Stack) -> None:
    with stack.client() as client:
        headers = {"accept": "text/event-stream"}
        with client.stream("POST", "/api/chat", json={"message": "Hi", "lane": "standard"}, headers=headers) as reply:
            names = [entry.partition(";dur=")[0] for entry in reply.headers["server-timing"].split(", ")]
        whole = client.post("/api/chat", json={"message": "Hi"})
        again = client.get(f"/api/chat/{whole.json()['turn_id']}/stream", headers=headers)
        asked = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
        compatible = client.post("/api/openai/v1/chat/completions", json=asked)

    assert names == ["receive", "validation", "admission", "store_accept", "enqueue"]
    for reply in (whole, again, compatible):
        assert "stream;dur=" in reply.headers["server-timing"]
    assert whole.json()["timeline"]["complete"]
