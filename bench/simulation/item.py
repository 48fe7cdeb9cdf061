"""An item of the ledger in Cosmos DB under many writers: latency, request units, and who wins.

Patches with a predicate never conflict; the store carries them out one after the other. A replace carries the version
that was read: it succeeds when nobody changed the item between the read and the write, else its writer reads again.
Who wins among many is drawn instead of playing every failed try: with `K` writers whose tries come at random moments,
each once in a cycle, the next one to read after a change comes after cycle * (1 - U^(1/K)) on average draws, and its
write succeeds one way there and back later. The failed tries of a writer are the cycles it spent. So a thousand
writers cost no more to simulate than those that succeed. Failed tries cost request units as well: when they would take
more than the partition has, the cycle is as much longer, which is what throttling does to clients that try again.
"""

import math
import random
from collections import deque
from typing import Any, Protocol

from bench.simulation.agenda import Agenda
from bench.simulation.assumptions import Network, Store
from bench.simulation.tally import Tally


class Writer(Protocol):
    """One who replaces the item."""

    entered: tuple[float, int]
    """The cycles and the changes that the item had counted when it began."""
    open: bool

    def change(self, now: float, value: Any) -> Any | None:
        """The new value, from the newest; None when there is nothing to write."""

    def written(self, now: float) -> None:
        """The answer has come."""

    def beaten(self, now: float) -> None:
        """Others were quicker every time."""


class Item:
    """One item, which is a logical partition of its own."""

    __slots__ = (
        "_agenda",
        "_away_until",
        "_changes",
        "_counted_at",
        "_cycles",
        "_draw",
        "_least_cycle",
        "_network",
        "_order",
        "_planned",
        "_store",
        "_tally",
        "_tries",
        "_writers",
        "changed_at",
        "kind",
        "memory",
        "size_bytes",
        "value",
    )

    def __init__(
        self,
        kind: str,
        value: Any,
        *,
        agenda: Agenda,
        draw: random.Random,
        network: Network,
        store: Store,
        tally: Tally,
        tries: int,
        pause_seconds: float,
    ) -> None:
        """`kind` is `account` or `line`; a writer pauses so long on average between two of its `tries`."""
        self.kind, self.value, self.changed_at, self.size_bytes = kind, value, -math.inf, 0
        self.memory: dict[Any, Any] = {}
        """What was worked out of its versions in this slot, for all who know them."""
        self._agenda, self._draw, self._network, self._store, self._tally = agenda, draw, network, store, tally
        self._least_cycle = 2 * network.store_seconds + pause_seconds
        self._tries = tries
        self._cycles, self._counted_at, self._changes = 0.0, agenda.now, 0
        self._writers: list[Writer] = []
        self._order: deque[tuple[Writer, tuple[float, int]]] = deque()
        self._planned = False
        self._away_until = 0.0

    def latency(self) -> float:
        """Of one operation, there and back, in seconds."""
        return self._network.store_seconds * (0.5 + self._draw.expovariate(2.0))

    def read(self, now: float) -> float:
        """Counts a read; the seconds until its answer has come."""
        return self.latency() + self._charge(now, "read", self._store.read_units(self.size_bytes))

    def patch(self, now: float) -> float:
        """Counts a conditional patch; the seconds until it is carried out."""
        return self.latency() / 2 + self._charge(now, "patch", self._store.replace_units(self.size_bytes))

    def changed(self, now: float, value: Any) -> None:
        """A write has succeeded."""
        self.value, self.changed_at = value, now
        self._changes += 1

    def replace(self, now: float, writer: Writer) -> None:
        """Begins the tries of a writer."""
        self._count_cycles(now)
        writer.entered, writer.open = (self._cycles, self._changes), True
        self._writers.append(writer)
        self._order.append((writer, writer.entered))
        if not self._planned:
            self._plan(now + self.latency() / 2)

    def _plan(self, read_at: float) -> None:
        self._planned = True
        units = self._store.read_units(self.size_bytes) + self._store.replace_units(self.size_bytes)
        # Of many, it is the first whose operations are let through; the others' are held up.
        delay = self._charge(read_at, "replace", units) - self._crowding()
        self._tally.ledger[self.kind, "read"] += 1
        self._agenda.at(read_at + delay + self.latency(), self._decide, read_at + delay)

    def _decide(self, now: float, read_at: float) -> None:
        self._planned = False
        self._count_cycles(now)
        self._give_up(now)
        if self._writers and self.changed_at <= read_at:
            self._let_one_write(now)
        elif self._writers:
            self._tally.ledger[self.kind, "conflict"] += 1
        if self._writers and not self._planned:
            count = len(self._writers)
            self._plan(now + self._cycle() * (1 - self._draw.random() ** (1 / count)))

    def _cycle(self) -> float:
        """From one try of a writer to its next, in seconds."""
        units = self._store.read_units(self.size_bytes) + self._store.conflict_units
        return max(self._least_cycle, len(self._writers) * units / self._store.partition_units_per_second)

    def _crowding(self) -> float:
        """How long one operation is held up by the failed tries of others."""
        return (self._cycle() - self._least_cycle) / 2

    def _count_cycles(self, now: float) -> None:
        """How many cycles have passed so far."""
        self._cycles += (now - self._counted_at) / self._cycle()
        self._counted_at = now

    def _let_one_write(self, now: float) -> None:
        writers = self._writers
        index = self._draw.randrange(len(writers))
        writer = writers[index]
        writers[index] = writers[-1]
        writers.pop()
        self._leave(writer)
        value = writer.change(now, self.value)
        if value is not None:
            self.changed(now, value)
        self._agenda.at(now + self._network.store_seconds / 2, writer.written)

    def _leave(self, writer: Writer) -> None:
        writer.open = False
        failed = self._failed(writer)
        if failed:
            ledger, kind, store = self._tally.ledger, self.kind, self._store
            ledger[kind, "conflict"] += failed
            ledger[kind, "read"] += failed
            self._tally.ledger_units += failed * (store.read_units(self.size_bytes) + store.conflict_units)

    def _failed(self, writer: Writer) -> int:
        """Tries that failed: one a cycle, and only where a change of another's came between."""
        cycles, changes = writer.entered
        return min(int(self._cycles - cycles), self._changes - changes)

    def _give_up(self, now: float) -> None:
        order = self._order
        while order:
            writer, entered = order[0]
            waits = writer.open and writer.entered is entered
            if waits and self._failed(writer) < self._tries:
                return
            order.popleft()
            if waits:
                self._writers.remove(writer)
                self._leave(writer)
                self._tally.ledger[self.kind, "given_up"] += 1
                self._agenda.at(now, writer.beaten)

    def _charge(self, now: float, operation: str, units: float) -> float:
        """Counts an operation; seconds that it is held up because the partition's request units are used up."""
        self._tally.ledger[self.kind, operation] += 1
        return self._spend(now, units)

    def _spend(self, now: float, units: float) -> float:
        self._tally.ledger_units += units
        # A second's worth may be used at once; what is beyond it is told to come again (429 with x-ms-retry-after-ms).
        self._away_until = max(self._away_until, now - 1.0) + units / self._store.partition_units_per_second
        delay = max(0.0, self._away_until - now) + self._crowding()
        if delay > 0:
            self._tally.ledger[self.kind, "throttled"] += 1
            self._tally.most_throttled_seconds = max(self._tally.most_throttled_seconds, delay)
        return min(delay, self._store.longest_throttle_seconds)
