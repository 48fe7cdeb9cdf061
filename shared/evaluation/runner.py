"""Runs a task: answers and scores every item with bounded concurrency, and can be resumed."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from shared.evaluation.errors import BudgetExhaustedError, JudgeError
from shared.evaluation.records import Answer, Item, Score, State, score_key
from shared.evaluation.scoring import Scorer, judge_error
from shared.evaluation.store import MemoryStore, Store
from shared.evaluation.task import Task


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done_items: int
    planned_items: int
    failed_answers: int
    judge_errors: int


@dataclass(slots=True)
class Run:
    """The outcome of a run. `stopped` says why it ended before all items were done; empty when it is complete."""

    task: Task
    scores: list[Score] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    done_items: int = 0
    stopped: str = ""

    @property
    def complete(self) -> bool:
        """Whether every planned item was answered and scored."""
        return not self.stopped and self.done_items == len(self.task.dataset.items)

    def scores_of(self, evaluator: str) -> list[Score]:
        """The scores of one evaluator, in the order of the dataset."""
        return [score for score in self.scores if score.evaluator == evaluator]


@dataclass(frozen=True, slots=True)
class Limits:
    """How wide and how patient a run is."""

    concurrency: int = 8
    answer_timeout_seconds: float = 60.0
    score_timeout_seconds: float = 180.0


async def run(
    task: Task,
    *,
    store: Store | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: asyncio.Event | None = None,
) -> Run:
    """Run `task` over its dataset.

    Answers and scores found in `store` are taken over. A solver that fails or stalls gives a failed answer; an
    evaluator that fails or stalls gives `judge_error`; neither ends the run. An exhausted judge budget or a set
    `cancel` event ends it early: no further item is begun, and what is missing is done by the next run on the store.
    """
    return await _Runner(task, store or MemoryStore(), limits or Limits(), on_progress, cancel or asyncio.Event()).run()


class _Runner:
    def __init__(
        self,
        task: Task,
        store: Store,
        limits: Limits,
        on_progress: Callable[[Progress], None] | None,
        cancel: asyncio.Event,
    ) -> None:
        self._task = task
        self._store = store
        self._limits = limits
        self._on_progress = on_progress
        self._cancel = cancel
        self._outcome = Run(task)
        self._slots: dict[int, tuple[Answer, list[Score]]] = {}
        self._failed_answers = 0
        self._judge_errors = 0

    async def run(self) -> Run:
        queue = iter(enumerate(self._task.dataset.items))
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, self._limits.concurrency)):
                group.create_task(self._work(queue))
        for _, (answer, scores) in sorted(self._slots.items()):
            self._outcome.answers.append(answer)
            self._outcome.scores.extend(scores)
        return self._outcome

    async def _work(self, queue: Iterator[tuple[int, Item]]) -> None:
        for position, item in queue:
            if self._cancel.is_set():
                self._outcome.stopped = self._outcome.stopped or "cancelled"
            if self._outcome.stopped:
                return
            await self._one(position, item)

    async def _one(self, position: int, item: Item) -> None:
        answer = await self._answer(item)
        scores: list[Score] = []
        self._slots[position] = (answer, scores)
        try:
            await self._score(item, answer, scores)
        except BudgetExhaustedError as error:
            self._outcome.stopped = str(error)
            return
        self._outcome.done_items += 1
        self._failed_answers += answer.error is not None
        self._judge_errors += sum(score.state is State.JUDGE_ERROR for score in scores)
        self._report()

    async def _answer(self, item: Item) -> Answer:
        key = f"{self._task.name}|{self._task.version}|{self._task.dataset.version}|{item.item_id}"
        known = await self._store.get_answer(key)
        if known is not None and known.error is None:
            return known
        answer = await self._solve(item)
        await self._store.put_answer(key, answer)
        return answer

    async def _solve(self, item: Item) -> Answer:
        seconds = self._limits.answer_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._task.solver(item)
        except TimeoutError:
            return Answer(item.item_id, error=f"no answer within {seconds:g} s")
        except Exception as error:  # noqa: BLE001 - the solver is foreign code, and its failure is a result
            return Answer(item.item_id, error=f"{type(error).__name__}: {error}")

    async def _score(self, item: Item, answer: Answer, scores: list[Score]) -> None:
        for scorer in self._task.scorers:
            key = score_key(answer.answer_id or item.item_id, scorer.name, scorer.version)
            known = await self._store.get_score(key)
            # A judge error is tried again on resume, and so is the score of an answer that was made anew.
            if known is None or known.state is State.JUDGE_ERROR or not _same_answer(known, answer):
                known = await self._judge(scorer, item, answer)
                await self._store.put_score(known)
            scores.append(replace(known, tags=item.tags, weight=item.weight, cluster=item.cluster))

    async def _judge(self, scorer: Scorer, item: Item, answer: Answer) -> Score:
        seconds = self._limits.score_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await scorer.score(item, answer)
        except BudgetExhaustedError:
            raise
        except JudgeError as error:
            return judge_error(scorer, item, answer, str(error))
        except TimeoutError:
            return judge_error(scorer, item, answer, f"no judgement within {seconds:g} s")
        except Exception as error:  # noqa: BLE001 - one broken evaluator must not end the run of the others
            return judge_error(scorer, item, answer, f"{type(error).__name__}: {error}")

    def _report(self) -> None:
        if self._on_progress is None:
            return
        self._on_progress(
            Progress(
                done_items=self._outcome.done_items,
                planned_items=len(self._task.dataset.items),
                failed_answers=self._failed_answers,
                judge_errors=self._judge_errors,
            )
        )


def _same_answer(score: Score, answer: Answer) -> bool:
    return answer.error is None and score.answer == answer.text
