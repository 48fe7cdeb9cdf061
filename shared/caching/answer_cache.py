"""The answer cache of a process: looks, keeps, forgets. A fault of the cache costs a hit, never an answer."""

import asyncio
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from shared.caching import key, wish
from shared.caching.flights import Flights
from shared.caching.lookup import EXACT, SEMANTIC, SHARED, Lookup, Match, Terms
from shared.caching.ports import AnswerStore, CachedAnswer
from shared.context.gathering import ContextGatherer
from shared.errors import SpillwayError
from shared.ports import Clock
from shared.settings import Settings
from shared.telemetry import log
from shared.telemetry.facts import CacheAsked
from shared.telemetry.observer import SILENT, Observer
from shared.turns import Turn

T = TypeVar("T")
CANDIDATES = 5
MOST_CHARACTERS = 20_000
"""A longer answer is not kept."""
SETTLE_SECONDS = 5.0
"""Nothing is kept so soon after a change of the knowledge: an answer may still be of the old one, and replicas lag."""


class AnswerCache:
    """Answers of each tenant for the same tenant."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: AnswerStore,
        context: ContextGatherer,
        prompt_version: str,
        clock: Clock,
        observer: Observer = SILENT,
    ) -> None:
        """Takes what it works with; `prompt_version` names the instructions in force."""
        self._settings, self._store, self._context = settings, store, context
        self._prompt_version, self._clock, self._observer = prompt_version, clock, observer
        self.flights = Flights()
        self._tasks: set[asyncio.Task[Any]] = set()

    def look(self, turn: Turn, *, leads: bool) -> Lookup | None:
        """Begins to look for a turn's answer; None when it neither takes one nor leaves one."""
        if turn.caching is None or (wish.wants_new(turn) and not wish.may_keep(turn)):
            return None
        if self._context.is_personal(turn):
            # What is answered to one customer is answered to nobody else.
            return None
        scope = key.scope_of(turn, self._settings, self._prompt_version)
        terms = Terms(key.key_of(turn, scope), scope)
        return Lookup(self, turn, self._context.sources(turn, self.start), terms, leads=leads)

    async def search(self, lookup: Lookup) -> Match | None:
        """The work of a lookup, in bounded time."""
        try:
            async with asyncio.timeout(self._settings.context_seconds):
                match, reason = await self._find(lookup)
        except (TimeoutError, SpillwayError) as fault:
            log.warning("miss_cache", turn_id=lookup.turn.turn_id, fault=type(fault).__name__)
            match, reason = None, "unavailable"
        except Exception as fault:  # noqa: BLE001  an answer without the cache beats no answer
            log.failure("break_cache", fault, turn_id=lookup.turn.turn_id)
            match, reason = None, "unavailable"
        kind = "miss" if match is None else match.kind
        self._observer.tell(CacheAsked(lookup.turn.tenant, kind, reason))
        return match

    async def _find(self, lookup: Lookup) -> tuple[Match | None, str]:
        """The match, or None and why there is none."""
        turn, terms, began = lookup.turn, lookup.terms, self._clock.now()
        slot = key.slot_of(terms.key, self._settings.cache_entries)
        if self._context.has_history(turn):
            found, history = await asyncio.gather(self._store.read(turn.tenant, slot), lookup.sources.history())
            if any(entry["turn_id"] != turn.turn_id for entry in history):
                return None, "history"
        else:
            found = await self._store.read(turn.tenant, slot)
        if found.changed_at + SETTLE_SECONDS < began:
            terms.version = found.version
        if wish.wants_new(turn):
            return None, "request"
        entry = found.answer
        if entry is not None and entry.key == terms.key and self._is_fresh(entry, turn, found.version):
            return Match(EXACT, entry), ""
        if terms.version is not None and (match := self._join(lookup, terms.version)) is not None:
            return match, ""
        if not self._compares(turn):
            return None, "absent"
        return await self._near(lookup, found.version)

    def _join(self, lookup: Lookup, version: str) -> Match | None:
        """Whom to follow; otherwise the turn leads, when it asks the model next."""
        place = (lookup.turn.tenant, lookup.terms.key, version)
        flight = self.flights.find(place)
        if flight is not None and flight.turn_id != lookup.turn.turn_id:
            return Match(SHARED, flight=flight)
        if lookup.leads:
            lookup.flight = self.flights.lead(place, lookup.turn.turn_id)
        return None

    async def _near(self, lookup: Lookup, version: str) -> tuple[Match | None, str]:
        from shared.policies.same_question import compare  # noqa: PLC0415  who compares nothing never loads it

        turn, reason = lookup.turn, "absent"
        vector = await lookup.sources.vector()
        alike = key.alike_of(lookup.terms.scope, version)
        for entry, similarity in await self._store.near(turn.tenant, alike, vector, CANDIDATES):
            if similarity < self._settings.cache_similarity:
                break
            if not self._is_fresh(entry, turn, version):
                continue
            comparison = compare(turn.question, entry.question)
            if comparison.same:
                return Match(SEMANTIC, entry, similarity=similarity), ""
            if reason == "absent":
                reason = comparison.reasons[0]
        return None, reason

    def _is_fresh(self, entry: CachedAnswer, turn: Turn, version: str) -> bool:
        most: float = self._settings.cache_ttl_seconds
        if turn.caching is not None and turn.caching["max_age_seconds"] is not None:
            most = min(most, turn.caching["max_age_seconds"])
        return entry.version == version and self._clock.now() - entry.made_at < most

    def _compares(self, turn: Turn) -> bool:
        """By meaning only where the context needs the vector anyway, and where the question is all that was said."""
        asked = turn.caching is not None and turn.caching["match"] == wish.SEMANTIC
        return asked and len(turn.messages) == 1 and self._context.needs_vector(turn)

    def answered(
        self,
        lookup: Lookup,
        answer: str,
        *,
        finish_reason: str,
        citations: Sequence[Mapping[str, Any]],
        model: str | None,
        whole: bool,
    ) -> None:
        """See `Lookup.answered`."""
        turn, terms, flight = lookup.turn, lookup.terms, lookup.flight
        vector = lookup.sources.known_vector if self._compares(turn) else None
        version = terms.version or ""
        entry = CachedAnswer(
            key=terms.key,
            version=version,
            question=turn.question,
            answer=answer,
            finish_reason=finish_reason,
            citations=tuple(dict(citation) for citation in citations),
            model=model,
            turn_id=turn.turn_id,
            made_at=self._clock.now(),
            alike=None if vector is None else key.alike_of(terms.scope, version),
            vector=None if vector is None else tuple(vector),
        )
        if flight is not None:
            flight.end(entry)
        safe = whole and finish_reason == "stop" and 0 < len(answer) <= MOST_CHARACTERS
        if safe and terms.version is not None and wish.may_keep(turn):
            self.start(self._keep(lookup, entry))
        elif flight is not None:
            self.flights.land(flight)

    async def _keep(self, lookup: Lookup, entry: CachedAnswer) -> None:
        slot = key.slot_of(entry.key, self._settings.cache_entries)
        try:
            await self._store.put(lookup.turn.tenant, slot, entry, ttl_seconds=self._settings.cache_ttl_seconds)
        except SpillwayError:
            log.warning("miss_keep", turn_id=lookup.turn.turn_id)
        finally:
            # Until the entry is there, those who come find the flight.
            if lookup.flight is not None:
                self.flights.land(lookup.flight)

    async def forget(self, turn: Turn, *, only_own: bool = False) -> None:
        """Takes the answer of a turn out of the cache; with `only_own` only when it was made for this turn."""
        if turn.caching is None:
            return
        mine = key.key_of(turn, key.scope_of(turn, self._settings, self._prompt_version))
        slot = key.slot_of(mine, self._settings.cache_entries)
        try:
            entry = (await self._store.read(turn.tenant, slot)).answer
            if entry is not None and entry.key == mine and (entry.turn_id == turn.turn_id or not only_own):
                await self._store.remove(turn.tenant, slot)
        except SpillwayError:
            log.warning("miss_forget", turn_id=turn.turn_id)

    async def knowledge_changes(self, tenant: str) -> None:
        """What the tenant was answered before is not used again.

        Raises:
            Unavailable: That could not be noted.
        """
        await self._store.note_change(tenant, uuid.uuid4().hex, self._clock.now())

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Work that goes on when nobody waits for it any more."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Whoever waits has raised it; nobody else wants it.
            task.exception()

    async def close(self) -> None:
        """Waits for what is being kept, and stops the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
