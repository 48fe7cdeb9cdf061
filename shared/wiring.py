"""Builds everything from the settings: the only place that joins behaviour and adapters."""

import asyncio
import gc
import uuid
from collections.abc import AsyncGenerator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.adapters.cosmos_answers import CosmosAnswers
from shared.adapters.cosmos_evaluations import CosmosEvaluations
from shared.adapters.cosmos_knowledge import CosmosKnowledge
from shared.adapters.cosmos_ledger import CosmosLedger
from shared.adapters.cosmos_metrics import CosmosMetrics
from shared.adapters.cosmos_profiles import CosmosProfiles
from shared.adapters.cosmos_sessions import CosmosSessions
from shared.adapters.cosmos_turn_records import CosmosTurnRecords
from shared.adapters.cosmos_turns import CosmosTurns
from shared.adapters.openai_chat import OpenAIChat
from shared.adapters.openai_embeddings import OpenAIEmbeddings
from shared.adapters.service_bus_evaluations import ServiceBusEvaluations
from shared.adapters.service_bus_lanes import ServiceBusLanes
from shared.adapters.service_bus_relay import ServiceBusRelay
from shared.adapters.token_counter import O200kCounter
from shared.answering.accept_turn import TurnAcceptor
from shared.answering.deferrals import Deferrals
from shared.answering.end_turn import TurnEnding
from shared.answering.follow_turn import TurnFollower
from shared.answering.live import Board
from shared.answering.relay import RelayListener, RelayOutbox
from shared.answering.run_turn import TurnRunner
from shared.answering.sweep import Sweeper
from shared.answering.work_turn import TurnWorker
from shared.api.chat import Chat
from shared.api.door import Door
from shared.api.health import Health
from shared.caching.answer_cache import AnswerCache
from shared.capacity.attempts import Attempts
from shared.capacity.capacity import Capacity
from shared.capacity.model_apis import ModelApis
from shared.capacity.usher import Usher
from shared.capacity.waiting_room import WaitingRoom
from shared.clock import SystemClock
from shared.connections import Connections
from shared.context.gathering import ContextGatherer
from shared.context.knowledge_base import KnowledgeBase
from shared.context.providers.registry import context_providers
from shared.evaluating.sampler import TurnSampler
from shared.evaluating.versions import prompt_version
from shared.operating.dead_letters import DeadLetters
from shared.operating.operations import Switches
from shared.operating.operator_desk import OperatorDesk
from shared.ports import ChatModel
from shared.pulse.backlog import BacklogWatch
from shared.pulse.beat import Pulse
from shared.pulse.canary import Canary
from shared.pulse.roll_up_turns import TurnRollUp
from shared.pulse.ticks import Ticks
from shared.settings import Settings
from shared.telemetry import log
from shared.telemetry.observed import (
    ObservedQueues,
    ObservedRelay,
    ObservedTurns,
    SweptQueues,
    SweptTurns,
    observed_rating,
)
from shared.telemetry.observed_ledger import ObservedLedger
from shared.telemetry.otel.observer import OpenTelemetryObserver
from shared.telemetry.prices import turn_costs
from shared.timelines.arrivals import Arrivals
from shared.warm_up import WarmUp
from shared.workbook.service import WorkbookQueries

if TYPE_CHECKING:
    from shared.evaluating.service import Evaluations
    from shared.operating.latency_advice import LatencyAdvice


class Services:
    """All objects of one process. Cheap to build; connections open with their first use inside the event loop."""

    def __init__(self, settings: Settings) -> None:
        """Joins everything; nothing is connected yet."""
        self.settings = settings
        self.clock = clock = SystemClock()
        # Several processes of one machine can share the platform's instance id.
        self.instance = instance = f"{settings.instance_id[:40]}-{uuid.uuid4().hex[:8]}"
        self._connections = connections = Connections(settings)
        self._store, self._models, bus = connections.store, connections.models, connections.bus
        self._counter = counter = O200kCounter()
        observer = OpenTelemetryObserver(settings.prices)
        self._opened = asyncio.Lock()
        self._guard: AsyncGenerator[None, None] | None = None

        stored = CosmosTurns(self._store, ttl_seconds=settings.turn_ttl_seconds)
        turns = ObservedTurns(stored, observer, clock)
        sessions = CosmosSessions(self._store, ttl_seconds=settings.turn_ttl_seconds)
        lanes = ServiceBusLanes(bus)
        queues, relay = ObservedQueues(lanes, observer), ObservedRelay(ServiceBusRelay(bus), observer, clock)
        embeddings = [deployment for deployment in settings.deployments if deployment.kind == "embeddings"]
        embedder = (
            OpenAIEmbeddings(self._models, embeddings, dimensions=settings.embedding_dimensions) if embeddings else None
        )
        knowledge = CosmosKnowledge(self._store)
        ledger = ObservedLedger(CosmosLedger(self._store), observer, clock)
        self._switches = switches = Switches(ledger, clock)
        self.capacity = capacity = Capacity(
            settings.deployments,
            ledger=ledger,
            clock=clock,
            share=settings.capacity_share,
            switches=switches,
            interactive_share=settings.interactive_share,
            spill=settings.spill,
            costs=turn_costs(settings.prices),
        )
        waiting_room = WaitingRoom(capacity, clock)
        self._usher = usher = Usher(
            capacity=capacity, store=turns, queues=queues, clock=clock, model=settings.default_model
        )
        self.board = board = Board()
        context = ContextGatherer(
            context_providers(
                settings,
                sessions=sessions,
                profiles=CosmosProfiles(self._store),
                knowledge=knowledge,
                embedder=embedder,
                counter=counter,
                clock=clock,
            ),
            clock=clock,
            seconds=settings.context_seconds,
            observer=observer,
        )
        self._cache = cache = self._make_cache(context, observer)
        evaluations, metrics = ServiceBusEvaluations(bus), CosmosMetrics(self._store)
        self._sampler = TurnSampler(
            share=settings.sample_share,
            queue=evaluations,
            metrics=metrics,
            clock=clock,
            prompt_version=prompt_version(settings),
            observer=observer,
        )
        models = self._model_apis()
        attempts = Attempts(models=models, capacity=capacity, clock=clock, observer=observer)
        ending = TurnEnding(store=turns, sessions=sessions, clock=clock, observer=observer, ended=self._sampler.ended)
        runner = TurnRunner(
            settings=settings,
            store=turns,
            ending=ending,
            context=context,
            attempts=attempts,
            counter=counter,
            clock=clock,
            look=lambda turn: cache.look(turn, leads=True),
        )
        deferrals = Deferrals(
            store=turns,
            queues=queues,
            ending=ending,
            waiting_room=waiting_room,
            clock=clock,
            max_runs=settings.max_runs,
            observer=observer,
        )
        self._outbox = RelayOutbox(relay)
        self._listener = RelayListener(relay, board, instance=instance, clock=clock)
        self.warm_up = WarmUp(connections, self._listener, stored, clock)
        self._acceptor = TurnAcceptor(
            settings=settings,
            instance=instance,
            store=turns,
            queues=queues,
            board=board,
            capacity=capacity,
            runner=runner,
            deferrals=deferrals,
            listener=self._listener,
            waiting_room=waiting_room,
            switches=switches,
            typical_context=lambda: round(runner.context_tokens),
            usher=usher,
            counter=counter,
            clock=clock,
            observer=observer,
            cache=cache,
        )
        self.door, self.arrivals = Door(settings), Arrivals(clock)
        self.chat = Chat(
            settings=settings,
            store=turns,
            sessions=sessions,
            acceptor=self._acceptor,
            follower=TurnFollower(settings=settings, store=turns, clock=clock),
            board=board,
            capacity=capacity,
            clock=clock,
            rated=observed_rating(self._sampler.rated, observer),
            cache=cache,
        )
        self._for_evaluation: dict[str, Any] = {
            "settings": settings,
            "store": CosmosEvaluations(self._store),
            "metrics": metrics,
            "queue": evaluations,
            "turns": turns,
            "acceptor": self._acceptor,
            "attempts": attempts,
            "capacity": capacity,
            "knowledge": knowledge if settings.knowledge_enabled else None,
            "embedder": embedder,
            "counter": counter,
            "clock": clock,
        }
        self.worker = TurnWorker(
            settings=settings,
            owner=instance,
            store=turns,
            queues=queues,
            runner=runner,
            ending=ending,
            deferrals=deferrals,
            outbox=self._outbox,
            waiting_room=waiting_room,
            switches=switches,
            usher=usher,
            clock=clock,
            observer=observer,
        )
        self.operator_desk = OperatorDesk(capacity=capacity, store=turns, switches=switches)
        self.sweeper = Sweeper(
            store=SweptTurns(stored, observer, clock),
            queues=SweptQueues(lanes, observer),
            clock=clock,
            max_runs=settings.max_runs,
        )
        observer.watch_ledger(lambda: capacity.ledger_away)
        self.pulse = self._make_pulse(metrics, models, observer)
        self.dead_letters = DeadLetters(settings=settings, store=turns, queues=queues, clock=clock)
        self.knowledge = KnowledgeBase(knowledge=knowledge, embedder=embedder, changes=cache.knowledge_changes)
        self.workbook = WorkbookQueries(connections.telemetry, portal_url=settings.workbook_url)
        self.health = Health(store=turns, queues=queues, clock=clock)

    def _make_cache(self, context: ContextGatherer, observer: OpenTelemetryObserver) -> AnswerCache:
        return AnswerCache(
            settings=self.settings,
            store=CosmosAnswers(self._store),
            context=context,
            prompt_version=prompt_version(self.settings),
            clock=self.clock,
            observer=observer,
        )

    def _model_apis(self) -> ModelApis:
        """The adapters of the APIs that deployments speak. Add yours here."""
        apis: dict[str, ChatModel] = {
            "chat-completions": OpenAIChat(self._models),
        }
        return ModelApis(apis, self.settings.deployments)

    def _make_pulse(self, metrics: CosmosMetrics, models: ModelApis, observer: OpenTelemetryObserver) -> Pulse:
        settings, clock = self.settings, self.clock
        records = CosmosTurnRecords(self._store)
        return Pulse(
            ticks=Ticks(metrics, clock),
            switches=self._switches,
            backlog=BacklogWatch(records=records, switches=self._switches, clock=clock, observer=observer),
            roll_up=TurnRollUp(
                records=records,
                metrics=metrics,
                clock=clock,
                default_model=settings.default_model,
                turn_ttl_seconds=settings.turn_ttl_seconds,
            ),
            canary=Canary(
                deployments=settings.deployments,
                models=models,
                metrics=metrics,
                switches=self._switches,
                clock=clock,
                observer=observer,
                quiet_seconds=settings.canary_seconds,
            ),
            canary_seconds=settings.canary_seconds,
        )

    @cached_property
    def evaluations(self) -> "Evaluations":
        """Evaluation, joined when something asks for it."""
        from shared.evaluating.service import Evaluations, Parts  # noqa: PLC0415  the chat never needs it

        return Evaluations(Parts(**self._for_evaluation))

    @cached_property
    def latency_advice(self) -> "LatencyAdvice":
        """Advice on latency, joined when an operator asks for it."""
        from shared.adapters.cosmos_timelines import CosmosTimelines  # noqa: PLC0415  the chat never needs it
        from shared.operating.latency_advice import LatencyAdvice  # noqa: PLC0415  likewise

        return LatencyAdvice(CosmosTimelines(self._store), self.clock)

    async def open(self) -> "Services":
        """Makes ready for the first invocation; later calls return at once."""
        if self._guard is None:
            async with self._opened:
                if self._guard is None:
                    self.warm_up.for_all()
                    await asyncio.to_thread(self._counter.load)
                    # What has been imported stays: collections that walk all of it stop every stream for 75 ms.
                    gc.freeze()
                    # The platform has no shutdown hook. The loop closes its async generators when it ends.
                    self._guard = self._close_with_the_loop()
                    await anext(self._guard)
        return self

    async def _close_with_the_loop(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        """Stops background work and closes every connection."""
        await self.warm_up.close()
        await self._acceptor.close()
        await self._cache.close()
        await self._sampler.close()
        await self._usher.close()
        await self._switches.close()
        await self.capacity.close()
        await self._listener.close()
        await self._outbox.close()
        await self._connections.close()


def build(settings: Settings) -> Services:
    """All objects of this process."""
    log.quieten()
    return Services(settings)
