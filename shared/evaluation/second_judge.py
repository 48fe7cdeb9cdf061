"""A second opinion: two judges with one rubric, and what to do when they differ."""

from dataclasses import dataclass, replace

from shared.evaluation.errors import JudgeError
from shared.evaluation.records import Answer, Item, Score, State
from shared.evaluation.scoring import Scorer


@dataclass(frozen=True, slots=True)
class AgreedScorer:
    """Scores only what two evaluators agree on within a tolerance; the mean is kept, a larger gap is a judge error.

    Costs two judgements per answer; meant for the few metrics that a launch hangs on.
    """

    first: Scorer
    second: Scorer
    tolerance: float = 1.0

    @property
    def name(self) -> str:
        """The first evaluator's name: agreement changes the certainty, not the meaning."""
        return self.first.name

    @property
    def version(self) -> str:
        """Both versions, since either changes the result."""
        return f"{self.first.version}&{self.second.version}"

    async def score(self, item: Item, answer: Answer) -> Score:
        """Ask both and compare.

        Raises:
            JudgeError: they differ by more than the tolerance, or on passing.
        """
        one, two = await self.first.score(item, answer), await self.second.score(item, answer)
        if one.state is not State.SCORED or two.state is not State.SCORED:
            return replace(one if one.state is not State.SCORED else two, version=self.version)
        if one.value is None or two.value is None or abs(one.value - two.value) > self.tolerance:
            raise JudgeError(f"two judges disagree: {one.value} ({one.reason}) and {two.value} ({two.reason})")
        if one.passed is not two.passed:
            raise JudgeError(f"two judges disagree on passing: {one.value} and {two.value}")
        return replace(
            one,
            version=self.version,
            value=(one.value + two.value) / 2,
            input_tokens=one.input_tokens + two.input_tokens,
            output_tokens=one.output_tokens + two.output_tokens,
            cost_usd=one.cost_usd + two.cost_usd,
            details={**one.details, "second_value": two.value, "second_reason": two.reason},
        )
