"""Groundedness: each claim of an answer is held against the sources."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.evaluation.judging import ask, context_of
from shared.evaluation.metered import MeteredModel
from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.rubric import Rubric, load_rubric
from shared.evaluation.schema import TEXT, integer_schema, label_schema, object_schema
from shared.evaluation.scoring import scored, skipped

_MOST_CLAIMS = 40
_CLAIM = object_schema(claim=TEXT, verdict=label_schema("supported", "contradicted", "not_found"))
SCHEMA = object_schema(
    claims={"type": "array", "items": _CLAIM, "maxItems": _MOST_CLAIMS}, reason=TEXT, score=integer_schema(1, 5)
)


@dataclass(frozen=True, slots=True)
class GroundednessScorer:
    """1 to 5 from the judge, capped by its own verdicts on the claims.

    A judge that calls a claim unsupported and still gives 5 contradicts itself: with any unsupported claim the score is
    at most 3, with a contradicted one at most 2 once contradictions are half of all claims.
    """

    judge: MeteredModel
    pass_score: int = 4
    name: str = "groundedness"

    @property
    def rubric(self) -> Rubric:
        """The rubric in use."""
        return load_rubric("groundedness")

    @property
    def version(self) -> str:
        """The rubric's version."""
        return self.rubric.version

    async def score(self, item: Item, answer: Answer) -> Score:
        """Split the answer into claims and check each; without sources there is nothing to check against."""
        if answer.error is not None or not answer.text.strip():
            return skipped(self, item, answer, answer.error or "the answer is empty")
        if not context_of(item, answer):
            return skipped(self, item, answer, "there are no sources to check against")
        judgement = await ask(self.judge, self.rubric, item, answer, SCHEMA)
        claims = judgement.data["claims"]
        value = capped_score(judgement.data["score"], claims)
        verdicts = Counter(claim["verdict"] for claim in claims)
        score = scored(
            self,
            item,
            answer,
            value=value,
            passed=value >= self.pass_score,
            reason=judgement.data["reason"],
            label=f"{verdicts['supported']}/{len(claims)} claims supported",
            details={"claims": claims, "supported": verdicts["supported"], "total": len(claims)},
        )
        return judgement.attach(score, self.rubric)


def capped_score(score: int, claims: Sequence[Mapping[str, str]]) -> int:
    """The judge's score, made consistent with its verdicts on the claims."""
    verdicts = Counter(claim["verdict"] for claim in claims)
    if claims and 2 * verdicts["contradicted"] >= len(claims):
        return min(score, 2)
    return score if verdicts["supported"] == len(claims) else min(score, 3)
