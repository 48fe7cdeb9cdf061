"""The values that flow through an evaluation: item, answer, score."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a dataset with all that an evaluator may need to judge its answer."""

    item_id: str
    question: str
    reference: str | None = None
    """A right answer, in words."""
    context: tuple[str, ...] = ()
    """Source texts the answer should rest on."""
    choices: tuple[str, ...] = ()
    target: str | None = None
    """The right letter of a multiple-choice item, or the right label of a classification item."""
    expected_sources: tuple[str, ...] = ()
    """Ids of knowledge documents that hold the answer."""
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    """How many items of the population this one stands for: 1 / its inclusion probability."""
    cluster: str = ""
    """Items that were drawn together, such as turns of one session. Empty: the item stands alone."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the system under test answered to one item, or why it did not."""

    item_id: str
    text: str = ""
    answer_id: str = ""
    error: str | None = None
    """Set when there is no answer; a failed row counts as wrong, it is never left out."""
    sources: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    """The source texts that were really used; the item's own context when empty."""
    model: str = ""
    prompt_version: str = ""
    latency_seconds: float | None = None
    first_token_seconds: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    content_filter: Mapping[str, Any] = field(default_factory=dict)
    """Azure OpenAI's `content_filter_results` of the choice."""


class State(StrEnum):
    """How an evaluation of one answer ended. The three are counted apart."""

    SCORED = "scored"
    SKIPPED = "skipped"
    """The evaluator does not apply, for example groundedness without a context."""
    JUDGE_ERROR = "judge_error"
    """The evaluator failed; says nothing about the answer."""


@dataclass(frozen=True, slots=True)
class Score:
    """The result of one evaluator on one answer, with its evidence."""

    item_id: str
    evaluator: str
    version: str
    state: State
    value: float | None = None
    """A number on the evaluator's own scale; None unless scored."""
    passed: bool | None = None
    label: str = ""
    reason: str = ""
    answer_id: str = ""
    question: str = ""
    answer: str = ""
    reference: str = ""
    rubric_id: str = ""
    rubric_version: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    cluster: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The identity under which a repeated delivery finds this score again."""
        return score_key(self.answer_id or self.item_id, self.evaluator, self.version)


def score_key(subject_id: str, evaluator: str, version: str) -> str:
    """The identity of a score: answer (or item) id, evaluator and version of its rubric or rules."""
    return f"{subject_id}|{evaluator}|{version}"
