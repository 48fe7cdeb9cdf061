"""Production on a virtual clock: turns end, the app's sampler draws, its worker scores, its timer sums up and compares.

The app's own classes do all of it; only store, queue and judge are stood in for, the judge by recorded scores.
"""

import asyncio
import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.regression.recording import GOLDEN, Recorded
from shared.evaluating.keep_cap import CapKeeper
from shared.evaluating.kept_scores import KeptScores
from shared.evaluating.roll_up import RollUp
from shared.evaluating.sampler import PLAN_DAY, TurnSampler
from shared.evaluating.score_turn import TurnScorer
from shared.evaluating.scoring import Outcome
from shared.evaluating.watch_drift import DriftWatch
from shared.evaluation.records import Answer, Item, Score
from shared.settings import Settings
from shared.turns import Message, State, Turn
from tests.unit.evaluating.support import Document, HeldClock, MemoryEvaluations, MemoryMetrics, MemoryQueue
from tests.unit.samples import ENVIRONMENT, a_turn

SHARE = 0.1
TURNS_BEFORE, TURNS_AFTER = 5_000, 1_000
SECONDS_BETWEEN_TURNS = 1.5
TIMER_SECONDS = 300.0
TURNS_IN_A_SESSION = 3
DEPLOYMENT = "chat-0"
VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class Lived:
    """What the app told after the second version came.

    Attributes:
        turns_until_told: Turns of the new version until the first telling; None when there was none.
        told: Evaluators that found the new version worse.
        drifted: Evaluators whose stream left its own first scores.
        scored: Turns of the new version that were scored.
    """

    turns_until_told: int | None
    told: tuple[str, ...]
    drifted: tuple[str, ...]
    scored: int


class IndexedEvaluations(MemoryEvaluations):
    """The store in memory, with the query of the timer in reasonable time."""

    def __init__(self) -> None:
        """Starts empty."""
        super().__init__()
        self._by_kind: dict[tuple[str, str], dict[str, Document]] = {}

    async def of_kind(self, run: str, kind: str, *, hour: str | None = None) -> list[Document]:
        """See the port."""
        found = self._by_kind.get((run, kind), {}).values()
        return [dict(entry) for entry in found if hour in {None, entry.get("hour")}]

    def _put(self, document: Document) -> None:
        super()._put(document)
        kept = self.documents[document["run"], document["id"]]
        self._by_kind.setdefault((document["run"], document.get("kind", "")), {})[document["id"]] = kept


@dataclass
class Turns:
    """Every turn that ended, as the turn store and the reader of answers give them."""

    ended: dict[str, Turn] = field(default_factory=dict)

    async def get(self, turn_id: str) -> Turn | None:
        """See the port."""
        return self.ended.get(turn_id)

    async def read(self, turn: Turn, *, item_id: str, model: str, **_: bool) -> tuple[Answer, list[Any]]:
        """See `AnswerReader`."""
        return Answer(item_id, turn.answer, answer_id=turn.turn_id, model=turn.deployment or model), []


@dataclass
class RecordedScorer:
    """Gives the recorded scores of the question that a turn asked, and keeps them as the real scorer does."""

    store: MemoryEvaluations
    recorded: Recorded
    versions: Mapping[str, str]
    draw: random.Random
    items: Mapping[str, Item] = field(default_factory=lambda: {item.question: item for item in GOLDEN})

    async def score(
        self,
        item: Item,
        answer: Answer,
        *,
        run_id: str,
        evaluators: Sequence[str],
        fields: Mapping[str, Any],
        with_texts: bool,
        **_: Any,
    ) -> Outcome:
        """See `AnswerScorer`."""
        version = self.versions[answer.prompt_version]
        kept = KeptScores(self.store, run=run_id, answer=answer, fields=dict(fields), with_texts=with_texts)
        scores = [
            self._of(score, item, answer)
            for score in self.recorded.scores(version, self.items[item.question], self.draw)
            if score.evaluator in evaluators
        ]
        for score in scores:
            await kept.put_score(score)
        return Outcome(scores, 0, 0.0, None, "")

    @staticmethod
    def _of(score: Score, item: Item, answer: Answer) -> Score:
        return dataclasses.replace(
            score,
            item_id=item.item_id,
            answer_id=answer.answer_id,
            tags=item.tags,
            weight=item.weight,
            cluster=item.cluster,
        )


class Production:
    """One installation in virtual time."""

    def __init__(self, recorded: Recorded, version: str, seed: int) -> None:
        """Joins the app's parts."""
        self.draw = random.Random(f"in production {version} {seed}")
        self.clock, self.turns, self._seed = HeldClock(), Turns(), f"{version}-{seed}"
        self.store, self.metrics, self.queue = IndexedEvaluations(), MemoryMetrics(), MemoryQueue()
        parts = {"store": self.store, "metrics": self.metrics, "clock": self.clock}
        self._scorer = TurnScorer(
            settings=dataclasses.replace(Settings.from_environment(ENVIRONMENT), evaluations_per_hour=100_000),
            store=self.store,
            queue=self.queue,
            turns=self.turns,
            reader=self.turns,
            scorer=RecordedScorer(
                self.store, recorded, dict(zip(VERSIONS, ("accepted", version), strict=True)), self.draw
            ),
            clock=self.clock,
        )
        self._roll_up = RollUp(store=self.store, metrics=self.metrics)
        self._drift = DriftWatch(**parts)
        self._cap = CapKeeper(share=SHARE, most_per_hour=100_000, **parts)
        self._next_timer = self.clock.now() + TIMER_SECONDS

    async def serve(self, prompt_version: str, turns: int) -> int | None:
        """Answers turns with one version; how many it took until it was told to be worse, None when it was not."""
        sampler = TurnSampler(
            share=SHARE, queue=self.queue, metrics=self.metrics, clock=self.clock, prompt_version=prompt_version
        )
        told = None
        for number in range(turns):
            await self._turn(sampler, len(self.turns.ended))
            self.clock.at += SECONDS_BETWEEN_TURNS
            if self.clock.now() >= self._next_timer or number == turns - 1:
                await self._timer()
                if told is None and self.told():
                    told = number + 1
        return told

    async def _turn(self, sampler: TurnSampler, number: int) -> None:
        item = self.draw.choice(GOLDEN)
        turn = a_turn(
            turn_id=f"{number:032x}",
            session_id=f"session-{number // TURNS_IN_A_SESSION}-{self._seed}",
            messages=(Message("user", item.question),),
            created_at=self.clock.now(),
            state=State.SUCCEEDED,
            deployment=DEPLOYMENT,
        )
        self.turns.ended[turn.turn_id] = turn
        sampler.ended(turn, State.SUCCEEDED, {"deployment": DEPLOYMENT})
        # The sampler waits for one round of the loop, so that a caller goes on before it.
        await asyncio.sleep(0)
        await sampler.close()
        while self.queue.sent:
            await self._scorer.work(self.queue.sent.pop())

    async def _timer(self) -> None:
        """What `Evaluations.roll_up` does."""
        self._next_timer += TIMER_SECONDS
        # The scores of the last seconds are left for the next time; nobody waits for them here.
        self.clock.at += 31
        now = self.clock.now()
        hours = await self._roll_up.changed(now)
        await self._roll_up.sum_up(hours)
        await self._drift.watch(hours)
        await self._roll_up.remember(now)
        await self._cap.keep()

    def told(self) -> tuple[str, ...]:
        """The evaluators of quality that found the new version worse; cost and speed are left out here."""
        worse = [s["evaluator"] for s in self.streams() if (s.get("version_change") or {}).get("worse")]
        return tuple(name for name in worse if name not in {"latency", "tokens", "cost"})

    def streams(self) -> list[Document]:
        """All streams."""
        return [d for (day, _), d in self.metrics.documents.items() if day == PLAN_DAY and d["kind"] == "stream"]


async def live(
    recorded: Recorded, version: str, seed: int, *, turns_before: int = TURNS_BEFORE, turns_after: int = TURNS_AFTER
) -> Lived:
    """The accepted version for a while, then another one."""
    production = Production(recorded, version, seed)
    await production.serve(VERSIONS[0], turns_before)
    told_after = await production.serve(VERSIONS[1], turns_after)
    drifted = [stream["evaluator"] for stream in production.streams() if stream["alarms"]]
    scored = sum(
        document.get("prompt_version") == VERSIONS[1] and document.get("kind") == "sample"
        for document in production.store.documents.values()
    )
    return Lived(told_after, production.told(), tuple(drifted), scored)
