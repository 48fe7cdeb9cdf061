"""Truthfulness of free answers, decided yes or no by a judge."""

from dataclasses import dataclass

from shared.evaluation.judging import ask
from shared.evaluation.metered import MeteredModel
from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.rubric import Rubric, load_rubric
from shared.evaluation.schema import TEXT, label_schema, object_schema
from shared.evaluation.scoring import scored

SCHEMA = object_schema(reason=TEXT, true=label_schema("yes", "no"))


@dataclass(frozen=True, slots=True)
class TruthfulnessScorer:
    """Passes when the judge finds nothing false; a failed answer does not pass."""

    judge: MeteredModel
    name: str = "truthfulness"

    @property
    def rubric(self) -> Rubric:
        """The rubric in use."""
        return load_rubric("truthfulness")

    @property
    def version(self) -> str:
        """The rubric's version."""
        return self.rubric.version

    async def score(self, item: Item, answer: Answer) -> Score:
        """Ask the judge; the label is yes or no, as in the human labels."""
        if answer.error is not None or not answer.text.strip():
            return scored(self, item, answer, value=0, passed=False, label="failed", reason=answer.error or "empty")
        judgement = await ask(self.judge, self.rubric, item, answer, SCHEMA)
        label = judgement.data["true"]
        passed = label == "yes"
        reason = judgement.data["reason"]
        score = scored(self, item, answer, value=float(passed), passed=passed, label=label, reason=reason)
        return judgement.attach(score, self.rubric)
