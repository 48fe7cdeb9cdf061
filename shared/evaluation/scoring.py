"""What an evaluator is, and the short ways to build its scores."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from shared.evaluation.records import Answer, Item, Score, State


class Scorer(Protocol):
    """One evaluator. It never raises for a bad answer; it raises `JudgeError` when it cannot judge."""

    @property
    def name(self) -> str:
        """The evaluator's name, such as `groundedness`."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever its rubric or rules change, so that old scores are not mixed with new ones."""
        ...

    async def score(self, item: Item, answer: Answer) -> Score:
        """Judge one answer."""
        ...


def scored(
    scorer: Scorer,
    item: Item,
    answer: Answer,
    *,
    value: float,
    passed: bool | None = None,
    label: str = "",
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> Score:
    """A score with its evidence."""
    blank = _blank(scorer, item, answer, State.SCORED, reason)
    return replace(blank, value=value, passed=passed, label=label, details=details or {})


def skipped(scorer: Scorer, item: Item, answer: Answer, reason: str) -> Score:
    """The evaluator does not apply to this answer."""
    return _blank(scorer, item, answer, State.SKIPPED, reason)


def judge_error(scorer: Scorer, item: Item, answer: Answer, reason: str) -> Score:
    """The evaluator could not judge this answer."""
    return _blank(scorer, item, answer, State.JUDGE_ERROR, reason)


def _blank(scorer: Scorer, item: Item, answer: Answer, state: State, reason: str) -> Score:
    return Score(
        item_id=item.item_id,
        evaluator=scorer.name,
        version=scorer.version,
        state=state,
        reason=reason,
        answer_id=answer.answer_id,
        question=item.question,
        answer=answer.text if answer.error is None else f"[no answer: {answer.error}]",
        reference=item.reference or item.target or "",
        tags=item.tags,
        weight=item.weight,
        cluster=item.cluster,
    )
