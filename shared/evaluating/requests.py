"""What the evaluation routes take."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.evaluating.runs import MOST_ITEMS

MOST_IN_A_BATCH = 1_000
SuiteName = Literal["mmlu", "truthfulqa", "pubmedqa", "xstest", "bbq", "judgements"]
"""`judgements`: answers of TruthfulQA that people found true or not, to compare the judge with."""
ItemId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:+-]{1,100}$")]
Text = Annotated[str, Field(max_length=20_000)]
Tag = Annotated[str, Field(min_length=1, max_length=60)]
EvaluatorName = Annotated[str, Field(min_length=1, max_length=60)]
RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EvaluationItemIn(_Strict):
    """One question with what its answer is held against; `evaluators` narrows the run's for this question.

    With `answer` nothing is asked: that text is scored.
    """

    id: ItemId
    question: Annotated[str, Field(min_length=1, max_length=20_000)]
    answer: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    reference: Text | None = None
    context: Annotated[list[Text], Field(max_length=20)] = []
    sources: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)] = []
    target: Annotated[str, Field(max_length=200)] | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] = []
    metadata: Annotated[dict[str, Any], Field(max_length=20)] = {}
    evaluators: Annotated[list[EvaluatorName], Field(min_length=1, max_length=30)] | None = None


class GateIn(_Strict):
    """One demand on the results, as in evals/gates.toml."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    evaluator: Annotated[str, Field(min_length=1, max_length=60)]
    statistic: Literal["rate", "defect_rate", "mean", "p95", "macro_rate", "macro_f1"]
    strictness: Literal["hard", "soft"]
    at_least: Annotated[float, Field(strict=False)] | None = None
    at_most: Annotated[float, Field(strict=False)] | None = None
    minimum_scored: Annotated[int, Field(ge=1, le=100_000)] = 100
    max_judge_error_rate: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.02
    tags: Annotated[list[Tag], Field(max_length=20)] = []
    tag_minimum_scored: Annotated[int, Field(ge=1, le=100_000)] = 20
    tag_slack: Annotated[float, Field(ge=0, strict=False)] = 0.0
    regression: bool = False
    regression_forbids: bool = False
    about: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least and at_most")
        if self.strictness == "hard" and (self.statistic != "defect_rate" or self.at_most is None):
            raise ValueError("a hard gate bounds a defect_rate with at_most")
        if self.regression_forbids and not self.regression:
            raise ValueError("regression_forbids needs regression: true")
        return self


class JudgeBarIn(_Strict):
    """What the judge must reach against people before its scores count for GO, as `[judge]` in evals/gates.toml."""

    min_accuracy: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.75
    min_kappa: Annotated[float, Field(ge=-1, le=1, strict=False)] = 0.5
    min_sample: Annotated[int, Field(ge=1, le=100_000)] = 200
    max_judge_error_rate: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.02


class EvaluationItemsIn(_Strict):
    """More items for a run that still collects; `complete` starts it."""

    items: Annotated[list[EvaluationItemIn], Field(max_length=MOST_IN_A_BATCH)] = []
    complete: bool = True


class EvaluationRequest(EvaluationItemsIn):
    """A run: questions of your own as `items`, or the name of a public test set as `suite`."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = "Evaluation"
    suite: SuiteName | None = None
    evaluators: Annotated[list[EvaluatorName], Field(min_length=1, max_length=30)] | None = None
    sample_size: Annotated[int, Field(ge=1, le=MOST_ITEMS)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    model: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    use_context: bool = True
    concurrency: Annotated[int, Field(ge=1, le=200)] = 16
    max_judge_calls: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    max_judge_calls_per_hour: Annotated[int, Field(ge=100, le=1_000_000)] | None = None
    max_cost_usd: Annotated[float, Field(ge=0, le=100_000, strict=False)] | None = None
    gates: Annotated[list[GateIn], Field(max_length=100)] = []
    judge_bar: JudgeBarIn | None = None
    compare_judge: bool = False
    regression_level: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    baseline_run: RunId | None = None

    @model_validator(mode="after")
    def _items_or_suite(self) -> Self:
        if self.suite is not None and self.items:
            raise ValueError("give either items or suite")
        if self.suite is None and self.complete and not self.items:
            raise ValueError("give items, or a suite, or complete: false to send items in batches")
        if self.suite is not None and not self.complete:
            raise ValueError("a suite has all its items: leave complete out")
        if self.compare_judge and self.suite is None and any(not item.answer or not item.target for item in self.items):
            raise ValueError("compare_judge: each item needs an answer, and as target what people said of it")
        return self
