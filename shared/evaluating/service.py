"""Joins the parts of evaluation. Loaded with the first evaluation route, message or timer, never by the chat."""

from dataclasses import dataclass
from pathlib import Path

from shared.answering.accept_turn import TurnAcceptor
from shared.capacity.attempts import Attempts
from shared.capacity.capacity import Capacity
from shared.context.gathering import ContextGatherer
from shared.context.providers.knowledge import KnowledgeSearch
from shared.errors import Unavailable
from shared.evaluating.answers import AnswerReader
from shared.evaluating.asking import Asking
from shared.evaluating.fan_out import FanOut
from shared.evaluating.finish_run import RunFinisher
from shared.evaluating.judge_trust import JudgeTrust
from shared.evaluating.keep_cap import CapKeeper
from shared.evaluating.manage_runs import Runs
from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.plan_run import RunPlanner
from shared.evaluating.ports import EvaluationQueue, EvaluationStore, MetricsStore
from shared.evaluating.quality import Quality
from shared.evaluating.report import Reports
from shared.evaluating.rescue_runs import RunRescuer
from shared.evaluating.roll_up import RollUp
from shared.evaluating.score_item import ItemWorker
from shared.evaluating.score_turn import TurnScorer
from shared.evaluating.scoring import AnswerScorer
from shared.evaluating.versions import prompt_version
from shared.evaluating.watch_drift import DriftWatch
from shared.evaluation.model import Price
from shared.ports import Clock, Embedder, Knowledge, TokenCounter, TurnStore
from shared.settings import Settings

LOOK_UP_SECONDS = 10.0
AWAY_SECONDS = 5.0
"""How long a message is held on to while the store or the queue does not answer."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What evaluation takes from the rest of the app."""

    settings: Settings
    store: EvaluationStore
    metrics: MetricsStore
    queue: EvaluationQueue
    turns: TurnStore
    acceptor: TurnAcceptor
    attempts: Attempts
    capacity: Capacity
    knowledge: Knowledge | None
    embedder: Embedder | None
    counter: TokenCounter
    clock: Clock


class Evaluations:
    """Evaluation for one process."""

    def __init__(self, parts: Parts) -> None:
        """Joins everything; nothing is connected yet."""
        settings, store, queue, clock = parts.settings, parts.store, parts.queue, parts.clock
        datasets = None if settings.datasets is None else Path(settings.datasets)
        version = prompt_version(settings)
        trust = JudgeTrust(parts.metrics, settings.judge_model)
        reports = Reports(store, datasets, settings.default_model, version, settings.judge_model, trust)
        reader = AnswerReader(_context(parts), settings.prices, version)
        scorer = _scorer(parts)
        finisher = RunFinisher(store=store, reports=reports, clock=clock)
        self._clock = clock
        fan_out = FanOut(store=store, queue=queue, clock=clock)
        self._planner = RunPlanner(store=store, fan_out=fan_out, clock=clock, datasets=datasets)
        self._items = ItemWorker(
            settings=settings,
            store=store,
            queue=queue,
            asking=Asking(settings=settings, acceptor=parts.acceptor, turns=parts.turns, clock=clock),
            reader=reader,
            scorer=scorer,
            fan_out=fan_out,
            finisher=finisher,
            clock=clock,
        )
        self._turns = TurnScorer(
            settings=settings,
            store=store,
            queue=queue,
            turns=parts.turns,
            reader=reader,
            scorer=scorer,
            clock=clock,
        )
        self._rescuer = RunRescuer(store=store, queue=queue, fan_out=fan_out, finisher=finisher, clock=clock)
        self._roll_up = RollUp(store=store, metrics=parts.metrics)
        self._drift = DriftWatch(store=store, metrics=parts.metrics, clock=clock)
        self._cap = CapKeeper(
            share=settings.sample_share,
            most_per_hour=settings.evaluations_per_hour,
            store=store,
            metrics=parts.metrics,
            clock=clock,
        )
        self.quality = Quality(metrics=parts.metrics, clock=clock)
        self.runs = Runs(
            settings=settings,
            store=store,
            queue=queue,
            turns=parts.turns,
            capacity=parts.capacity,
            reports=reports,
            clock=clock,
        )

    async def work(self, message: EvaluationMessage) -> None:
        """Does what a message asks for; returning completes it.

        Raises:
            Unavailable: The store or the queue does not answer; the message is given back, after a pause.
        """
        try:
            await self._work(message)
        except Unavailable:
            # The queue delivers it again at once, and five deliveries within a second would make it a dead letter.
            await self._clock.sleep(AWAY_SECONDS)
            raise

    async def _work(self, message: EvaluationMessage) -> None:
        match message.work:
            case Work.PLAN:
                await self._planner.plan(message.run)
            case Work.ITEM:
                await self._items.work(message)
            case Work.TURN:
                await self._turns.work(message)

    async def roll_up(self) -> None:
        """Sums up production's scores, watches for drift, keeps the cap, and drives on runs that were left.

        Raises:
            Unavailable: The store or the queue does not answer.
        """
        now = self._clock.now()
        hours = await self._roll_up.changed(now)
        await self._roll_up.sum_up(hours)
        await self._drift.watch(hours)
        await self._roll_up.remember(now)
        await self._cap.keep()
        await self._rescuer.rescue()


def _scorer(parts: Parts) -> AnswerScorer:
    judge = parts.settings.judge_model
    return AnswerScorer(
        store=parts.store,
        attempts=parts.attempts,
        counter=parts.counter,
        clock=parts.clock,
        embedder=parts.embedder,
        judge_model=judge,
        price=_price(parts.settings, judge),
        judge_seconds=parts.settings.judge_seconds,
    )


def _price(settings: Settings, model: str | None) -> Price:
    found = settings.prices.get(model or "")
    return Price() if found is None else Price(found.input, found.output)


def _context(parts: Parts) -> ContextGatherer:
    """Finds again what a turn was answered from; nobody is told, because it is no step of a turn."""
    providers = []
    if parts.knowledge is not None and parts.embedder is not None:
        passages = parts.settings.knowledge_passages
        providers.append(KnowledgeSearch(parts.knowledge, parts.embedder, parts.clock, passages=passages))
    return ContextGatherer(providers, clock=parts.clock, seconds=LOOK_UP_SECONDS)
