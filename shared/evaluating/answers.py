"""From a turn that is over to what evaluators look at."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from shared.context.gathering import ContextGatherer
from shared.evaluation.records import Answer, Item
from shared.ports import Passage
from shared.telemetry.prices import Prices, price_for
from shared.turns import State, Turn

LANE_STAGES = frozenset({"admission", "store_accept", "enqueue", "earlier_runs", "deferral", "queue"})
"""Stages that say how long a turn waited in its lane."""


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Reads answers out of turns.

    The passages a turn was answered from are not kept in its record. They are looked up again the way the turn did
    it; a document that changed in between shows as a missing source.

    Attributes:
        context: Gathers what a turn is answered from.
        prices: For the cost of an answer.
        prompt_version: Of the instructions in force.
    """

    context: ContextGatherer
    prices: Prices
    prompt_version: str

    async def read(self, turn: Turn, *, item_id: str, model: str, waits_count: bool) -> tuple[Answer, list[Passage]]:
        """The answer and the passages it was made from.

        Args:
            turn: A turn that is over.
            item_id: Whose answer it is.
            model: Model name of the turn.
            waits_count: The time in the lane is part of the latency. In a run it is not: its turns go through the
                lowest lane, which no user waits in.
        """
        passages = await self._passages(turn)
        usage = turn.usage
        inputs, outputs = (0, 0) if usage is None else (usage.input_tokens, usage.output_tokens)
        answer = Answer(
            item_id=item_id,
            text=turn.answer if turn.state is State.SUCCEEDED else "",
            answer_id=turn.turn_id,
            error=None if turn.state is State.SUCCEEDED else _error(turn),
            sources=tuple(citation["id"] for citation in turn.citations),
            context=tuple(f"{passage.title}\n{passage.text}" for passage in passages),
            model=turn.deployment or model,
            prompt_version=self.prompt_version,
            latency_seconds=_latency(turn.timeline, waits_count=waits_count),
            first_token_seconds=_first_token(turn.timeline, waits_count=waits_count),
            input_tokens=inputs,
            output_tokens=outputs,
            cost_usd=_cost(self.prices, turn, model),
        )
        return answer, passages

    async def _passages(self, turn: Turn) -> list[Passage]:
        dropped = (turn.timeline or {}).get("dropped", ())
        if not turn.use_context or turn.state is not State.SUCCEEDED or "knowledge" in dropped:
            return []
        return (await self.context.gather(dataclasses.replace(turn, new_session=True))).passages


def with_passages(item: Item, turn: Turn, passages: list[Passage]) -> Item:
    """The item with what was found for it, for evaluators of honesty and sources."""
    if not turn.use_context:
        return item
    found: dict[str, Any] = {"source_ids": tuple(passage.id for passage in passages)}
    if not passages:
        found["retrieved"] = "none"
    return dataclasses.replace(item, metadata={**item.metadata, **found})


def _cost(prices: Prices, turn: Turn, model: str) -> float:
    price = price_for(prices, model=model, deployment=turn.deployment or "")
    return 0.0 if price is None or turn.usage is None else price.of(turn.usage)


def _error(turn: Turn) -> str:
    """The error in words; evaluators recognise a withheld answer by the words "content filter"."""
    error = turn.error or {}
    return f"{error.get('code', turn.state.value)}: {error.get('message', 'no answer')}"


def _latency(timeline: dict[str, Any] | None, *, waits_count: bool) -> float | None:
    if timeline is None:
        return None
    return sum(_seconds(stage) for stage in timeline["stages"] if waits_count or stage["name"] not in LANE_STAGES)


def _first_token(timeline: dict[str, Any] | None, *, waits_count: bool) -> float | None:
    total = 0.0
    for stage in (timeline or {}).get("stages", ()):
        if waits_count or stage["name"] not in LANE_STAGES:
            total += _seconds(stage)
        if stage["name"] == "first_token":
            return total
    return None


def _seconds(stage: dict[str, Any]) -> float:
    return float(stage["duration_ms"]) / 1000
