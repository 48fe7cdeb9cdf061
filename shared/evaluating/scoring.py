"""Scores one answer with the evaluators asked for, within a budget, and tells what hindered the judge."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.capacity.attempts import Attempts
from shared.evaluating.evaluators import build, build_suite, most_judge_calls
from shared.evaluating.judge import CapacityJudge
from shared.evaluating.kept_scores import KeptScores
from shared.evaluating.ports import EvaluationStore
from shared.evaluation.budget import Budget
from shared.evaluation.judging import MAX_OUTPUT_TOKENS
from shared.evaluation.metered import MeteredModel
from shared.evaluation.model import Embedder, Price
from shared.evaluation.records import Answer, Item, Score, State
from shared.evaluation.runner import Limits, Run, run
from shared.evaluation.scoring import Scorer
from shared.evaluation.task import Dataset, Task
from shared.ports import Clock, TokenCounter

JUDGE_RETRIES = 1
JUDGE_PAUSE_SECONDS = 5.0
FRAME_BYTES = 16_000
"""More than rubric, schema and one rejected reply together take."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The scores of one answer.

    Attributes:
        busy_seconds: The judge could not take a call; try again after this. None when nothing hindered it.
        stopped: The budget did not suffice; empty when it did.
    """

    scores: Sequence[Score]
    calls: int
    cost_usd: float
    busy_seconds: float | None
    stopped: str

    @property
    def judge_errors(self) -> int:
        """How many evaluators failed."""
        return sum(score.state is State.JUDGE_ERROR for score in self.scores)


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be spent on one answer; None without bound."""

    calls: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerScorer:
    """Runs evaluators on answers.

    Attributes:
        judge_model: Model name of the judge; None leaves out the evaluators that need one.
        price: Of the judge.
        judge_seconds: After this a call of the judge counts as stalled.
    """

    store: EvaluationStore
    attempts: Attempts
    counter: TokenCounter
    clock: Clock
    embedder: Embedder | None
    judge_model: str | None
    price: Price
    judge_seconds: float = 60.0

    def most(self, evaluators: Sequence[str], suite: str, item: Item, answer: Answer) -> tuple[int, float]:
        """The most calls and US dollars that scoring this answer can take."""
        calls = 0 if self.judge_model is None else most_judge_calls(evaluators, suite)
        material = [item.question, item.reference or "", answer.text, *answer.context, *item.context]
        tokens = FRAME_BYTES + 2 * sum(len(text.encode()) for text in material)
        tries = JUDGE_RETRIES + 1
        return calls * tries, calls * tries * self.price.cost_usd(tokens, MAX_OUTPUT_TOKENS)

    async def score(
        self,
        item: Item,
        answer: Answer,
        *,
        run_id: str,
        tenant: str,
        evaluators: Sequence[str],
        suite: str = "",
        grant: Grant,
        fields: Mapping[str, Any],
        with_texts: bool,
    ) -> Outcome:
        """Scores an answer; evaluators whose score is kept already are not run again.

        Raises:
            Unavailable: The store does not answer.
        """
        judge = self._judge(answer.answer_id, tenant)
        metered = None if judge is None else self._metered(judge, Budget(grant.calls, grant.cost_usd))
        scorers = self._scorers(evaluators, suite, metered)
        kept = KeptScores(self.store, run=run_id, answer=answer, fields=dict(fields), with_texts=with_texts)

        async def solver(_item: Item) -> Answer:
            return answer

        task = Task(run_id, "1", Dataset(run_id, "1", (item,)), solver, scorers)
        outcome = await _unwrapped(task, kept, 3 * self.judge_seconds)
        scores = [dataclasses.replace(score, answer_id=answer.answer_id) for score in outcome.scores]
        budget = Budget() if metered is None else metered.budget
        busy = None if judge is None else judge.busy_seconds
        return Outcome(scores, budget.calls, budget.spent_usd, busy, outcome.stopped)

    def _judge(self, subject: str, tenant: str) -> CapacityJudge | None:
        if self.judge_model is None:
            return None
        return CapacityJudge(
            attempts=self.attempts,
            counter=self.counter,
            clock=self.clock,
            model=self.judge_model,
            subject=subject,
            tenant=tenant,
        )

    def _metered(self, judge: CapacityJudge, budget: Budget) -> MeteredModel:
        return MeteredModel(
            judge,
            self.price,
            budget,
            timeout_seconds=self.judge_seconds,
            retries=JUDGE_RETRIES,
            max_pause_seconds=JUDGE_PAUSE_SECONDS,
            sleep=self.clock.sleep,
        )

    def _scorers(self, names: Sequence[str], suite: str, judge: MeteredModel | None) -> list[Scorer]:
        return build_suite(suite, judge) if suite else build(names, judge, self.embedder)


async def _unwrapped(task: Task, kept: KeptScores, seconds: float) -> Run:
    """The outcome of one item; a fault of the store comes out as itself rather than in a group of faults."""
    limits = Limits(concurrency=1, score_timeout_seconds=seconds)
    try:
        return await run(task, store=kept, limits=limits)
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
