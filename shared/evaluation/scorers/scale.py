"""Evaluators by a judge on a scale from 1 to 5: coherence, fluency, relevance, completeness."""

from dataclasses import dataclass

from shared.evaluation.judging import ask
from shared.evaluation.metered import MeteredModel
from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.rubric import Rubric, load_rubric
from shared.evaluation.schema import TEXT, integer_schema, object_schema
from shared.evaluation.scoring import scored, skipped

SCHEMA = object_schema(reason=TEXT, score=integer_schema(1, 5))
DEFAULT_PASS_SCORE = 4


@dataclass(frozen=True, slots=True)
class ScaleScorer:
    """Scores with one rubric. A failed answer gets the lowest score when `failed_is_worst`, else it is skipped."""

    rubric: Rubric
    judge: MeteredModel
    pass_score: int = DEFAULT_PASS_SCORE
    failed_is_worst: bool = False

    @property
    def name(self) -> str:
        """The rubric's id."""
        return self.rubric.rubric_id

    @property
    def version(self) -> str:
        """The rubric's version."""
        return self.rubric.version

    async def score(self, item: Item, answer: Answer) -> Score:
        """Ask the judge, unless there is nothing to judge."""
        if answer.error is not None or not answer.text.strip():
            if self.failed_is_worst:
                return scored(self, item, answer, value=1, passed=False, reason=answer.error or "the answer is empty")
            return skipped(self, item, answer, answer.error or "the answer is empty")
        if "reference" in self.rubric.inputs and not item.reference:
            return skipped(self, item, answer, "the item has no reference")
        judgement = await ask(self.judge, self.rubric, item, answer, SCHEMA)
        value = int(judgement.data["score"])
        score = scored(
            self, item, answer, value=value, passed=value >= self.pass_score, reason=judgement.data["reason"]
        )
        return judgement.attach(score, self.rubric)


def coherence(judge: MeteredModel, pass_score: int = DEFAULT_PASS_SCORE) -> ScaleScorer:
    """Whether the answer can be followed."""
    return ScaleScorer(load_rubric("coherence"), judge, pass_score)


def fluency(judge: MeteredModel, pass_score: int = DEFAULT_PASS_SCORE) -> ScaleScorer:
    """Whether it is well written."""
    return ScaleScorer(load_rubric("fluency"), judge, pass_score)


def relevance(judge: MeteredModel, pass_score: int = DEFAULT_PASS_SCORE) -> ScaleScorer:
    """Whether it addresses the question."""
    return ScaleScorer(load_rubric("relevance"), judge, pass_score, failed_is_worst=True)


def completeness(judge: MeteredModel, pass_score: int = DEFAULT_PASS_SCORE) -> ScaleScorer:
    """Whether it covers the points of the reference."""
    return ScaleScorer(load_rubric("completeness"), judge, pass_score, failed_is_worst=True)
