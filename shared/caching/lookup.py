"""One turn's look into the cache: it runs beside the context, and says at its end where the answer comes from."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.caching.flights import Flight
from shared.caching.ports import CachedAnswer
from shared.context.sources import Sources
from shared.turns import Turn

if TYPE_CHECKING:
    from shared.caching.answer_cache import AnswerCache

EXACT, SEMANTIC, SHARED = "exact", "semantic", "shared"


@dataclass(frozen=True, slots=True)
class Match:
    """An answer that was given before, or that another turn is being given now.

    Attributes:
        kind: `exact`, `semantic` or `shared`.
        entry: The entry; None while the answer is under way.
        flight: Whom to follow, when it is under way.
        similarity: Cosine of the two questions, when they differ.
    """

    kind: str
    entry: CachedAnswer | None = None
    flight: Flight | None = None
    similarity: float | None = None

    async def texts(self) -> AsyncIterator[str]:
        """The text, in one piece or as it comes."""
        if self.entry is not None:
            yield self.entry.answer
        elif self.flight is not None:
            async for text in self.flight.texts():
                yield text

    @property
    def answer(self) -> CachedAnswer | None:
        """The whole answer; None while it is under way and when it will not come."""
        return self.entry if self.flight is None else self.flight.answer

    def told(self, answer: CachedAnswer, now: float) -> dict[str, Any]:
        """What callers and records are told: the kind, whose answer it is and how old."""
        about = {"kind": self.kind, "turn_id": answer.turn_id, "age_seconds": round(max(0.0, now - answer.made_at), 1)}
        return about if self.similarity is None else about | {"similarity": round(self.similarity, 4)}


@dataclass(slots=True)
class Terms:
    """On which terms the answer may be kept, as they were when the look began.

    Attributes:
        key: See `CachedAnswer`.
        scope: All of the key but the conversation.
        version: Of the knowledge; None when it is not known or changed a moment ago, and then nothing is kept.
    """

    key: str
    scope: str
    version: str | None = None


class Lookup:
    """A look that has begun. Its owner closes it; whoever leads a flight ends it by that at the latest."""

    def __init__(self, cache: "AnswerCache", turn: Turn, sources: Sources, terms: Terms, *, leads: bool) -> None:
        """Begins to look. `leads` says that the model is asked next when there is no answer."""
        self.turn, self.sources, self.terms, self.leads = turn, sources, terms, leads
        self.flight: Flight | None = None
        self._cache = cache
        self._search: asyncio.Task[Match | None] = cache.start(cache.search(self))

    async def match(self) -> Match | None:
        """Where the answer comes from; None when it has to be made. Never raises for a fault of the cache."""
        return await asyncio.shield(self._search)

    async def kind(self) -> str | None:
        """How the answer was found; None when it has to be made."""
        match = await self.match()
        return None if match is None else match.kind

    def streams(self, parts: list[str]) -> Flight | None:
        """Shows followers the text that grows in `parts`; the flight to be told of more, when there is one."""
        if self.flight is not None:
            self.flight.parts = parts
        return self.flight

    def answered(
        self,
        answer: str,
        *,
        finish_reason: str,
        citations: Sequence[Mapping[str, Any]],
        model: str | None,
        whole: bool,
    ) -> None:
        """The model gave its answer: followers have it, and it is kept when that is safe.

        Args:
            answer: The text.
            finish_reason: As the model said.
            citations: Sources that it names.
            model: Who answered.
            whole: It was made from all of its context, none of it late or missing.
        """
        self._cache.answered(self, answer, finish_reason=finish_reason, citations=citations, model=model, whole=whole)

    def ended(self, answer: CachedAnswer) -> None:
        """The turn that leads a flight got its own answer from the cache; followers have it too."""
        if self.flight is not None:
            self.flight.end(answer)
            self._cache.flights.land(self.flight)

    def close(self) -> None:
        """The run is over; a flight that has no answer yet will not have one."""
        self.leads = False
        if self.flight is not None and not self.flight.over:
            self.flight.end(None)
            self._cache.flights.land(self.flight)
