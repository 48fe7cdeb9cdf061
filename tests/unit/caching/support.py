"""A cache on a store in memory, and turns that want it."""

import math
from collections.abc import Sequence
from typing import Any

from shared.caching.answer_cache import AnswerCache
from shared.caching.ports import CachedAnswer, Found
from shared.context.gathering import ContextGatherer
from shared.context.providers.history import History
from shared.context.providers.knowledge import KnowledgeSearch
from shared.context.providers.profile import CustomerProfile
from shared.errors import Unavailable
from shared.settings import Settings
from shared.telemetry.facts import CacheAsked, Fact
from shared.telemetry.observer import Silent
from shared.turns import Message, Turn
from tests.unit.samples import ENVIRONMENT, a_turn

SEMANTIC = {"match": "semantic", "max_age_seconds": None, "keep": True}
EXACT = SEMANTIC | {"match": "exact"}


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Answers:
    """The store; counts what it is asked."""

    def __init__(self) -> None:
        self.slots: dict[tuple[str, int], CachedAnswer] = {}
        self.versions: dict[str, tuple[str, float]] = {}
        self.reads = self.searches = 0
        self.away = False

    def _here(self) -> None:
        if self.away:
            raise Unavailable

    async def read(self, tenant: str, slot: int) -> Found:
        self._here()
        self.reads += 1
        version, at = self.versions.get(tenant, ("", 0.0))
        return Found(version, at, self.slots.get((tenant, slot)))

    async def near(
        self, tenant: str, alike: str, vector: Sequence[float], limit: int
    ) -> list[tuple[CachedAnswer, float]]:
        self._here()
        self.searches += 1
        own = [entry for (owner, _), entry in self.slots.items() if owner == tenant and entry.alike == alike]
        found = [(entry, sum(a * b for a, b in zip(vector, entry.vector or (), strict=True))) for entry in own]
        return sorted(found, key=lambda pair: -pair[1])[:limit]

    async def put(self, tenant: str, slot: int, answer: CachedAnswer, *, ttl_seconds: int) -> None:
        self._here()
        self.slots[tenant, slot] = answer

    async def remove(self, tenant: str, slot: int) -> None:
        self.slots.pop((tenant, slot), None)

    async def note_change(self, tenant: str, version: str, now: float) -> None:
        self._here()
        self.versions[tenant] = (version, now)


class Sessions:
    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.reads = 0

    async def recent(self, tenant: str, session_id: str, limit: int) -> list[dict[str, Any]]:
        self.reads += 1
        return self.entries


class Embedder:
    """All questions are one and the same to it, which is the worst that a model can do."""

    def __init__(self) -> None:
        self.asked = 0

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += 1
        return [[1.0, 0.0] for _ in texts]


class Knowledge:
    async def search(self, tenant: str, vector: Sequence[float], limit: int) -> list[Any]:
        return []


class Profiles:
    async def get(self, tenant: str, customer_id: str) -> dict[str, str]:
        return {}


class Counter:
    def count(self, text: str) -> int:
        return len(text.split())


class Told(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def tell(self, fact: Fact) -> None:
        self.facts.append(fact)

    @property
    def looks(self) -> list[tuple[str, str]]:
        return [(fact.kind, fact.reason) for fact in self.facts if isinstance(fact, CacheAsked)]


class Rig:
    """Everything together."""

    def __init__(self, **settings: str) -> None:
        self.settings = Settings.from_environment(ENVIRONMENT | settings)
        self.store, self.clock, self.told = Answers(), Clock(), Told()
        self.sessions, self.embedder = Sessions(), Embedder()
        history = History(self.sessions, Counter(), turns=10, tokens=4_000)  # type: ignore[arg-type]  # it only reads
        knowledge = KnowledgeSearch(Knowledge(), self.embedder, self.clock, passages=4)  # type: ignore[arg-type]
        profile = CustomerProfile(Profiles())
        self.context = ContextGatherer([history, profile, knowledge], clock=self.clock, seconds=math.inf)
        self.cache = self.instance()

    def instance(self) -> AnswerCache:
        """Another instance of the app on the same store."""
        return AnswerCache(
            settings=self.settings,
            store=self.store,
            context=self.context,
            prompt_version="v1",
            clock=self.clock,
            observer=self.told,
        )

    async def answered(self, turn: Turn, answer: str = "An answer.", **how: Any) -> None:
        """The model answers a turn, as the runner does it: context, text, the end."""
        lookup = self.cache.look(turn, leads=True)
        if lookup is None:
            return
        assert await lookup.match() is None
        await self.context.gather(turn, lookup.sources)
        details: dict[str, Any] = {"finish_reason": "stop", "citations": [], "model": "m", "whole": True}
        lookup.answered(answer, **(details | how))
        lookup.close()
        await self.cache.close()

    async def kind(self, turn: Turn) -> str | None:
        """How the answer of a turn would be found."""
        lookup = self.cache.look(turn, leads=False)
        return None if lookup is None else await lookup.kind()


def asking(question: str = "Where is my order?", **fields: Any) -> Turn:
    known = {"caching": SEMANTIC, "new_session": True, "messages": (Message("user", question),)}
    return a_turn(**(known | fields))
