"""All queues, one turn at a time: deliver what can be delivered, make it last, then let it out."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from local.servicebus.broker.deadlines import Deadlines
from local.servicebus.broker.errors import EntityNotFound
from local.servicebus.broker.journal import Journal
from local.servicebus.broker.queue import Queue
from local.servicebus.broker.settings import QueueSettings

DEAD_LETTER_SUFFIX = "/$deadletterqueue"


def entity_names(settings: Iterable[QueueSettings]) -> list[str]:
    """Names of the declared queues and of their dead-letter queues."""
    return [name + suffix for name in (each.name for each in settings) for suffix in ("", DEAD_LETTER_SUFFIX)]


class Broker:
    """The queues of a namespace.

    Attributes:
        queues: Queues and dead-letter queues by lower-case name.
    """

    def __init__(self, settings: Iterable[QueueSettings], journal: Journal, clock: Callable[[], float]) -> None:
        self.queues: dict[str, Queue] = {}
        self._journal = journal
        self._awake: dict[str, None] = {}
        self._alarms: dict[str, float] = {}
        self._deadlines: Deadlines[str] = Deadlines(lambda name, at: self._alarms.get(name) == at)
        self._clock = clock
        for queue_settings in settings:
            self._declare(queue_settings)

    def find(self, name: str) -> Queue:
        """The queue of that name, in any case.

        Raises:
            EntityNotFound: There is none.
        """
        queue = self.queues.get(name.lower())
        if queue is None:
            raise EntityNotFound(f"The messaging entity '{name}' could not be found.")
        return queue

    def wake(self, name: str) -> None:
        """The queue of that name has something to do at the end of this turn."""
        self._awake[name.lower()] = None

    def finish_turn(self) -> None:
        """Delivers, then commits. What was queued for clients may leave after this."""
        while self._awake:
            awake, self._awake = self._awake, {}
            for name in awake:
                self.queues[name].pump()
                self._set_alarm(name)
        self._journal.commit()

    def tick(self) -> None:
        """Wakes the queues for which something is due."""
        for name in self._deadlines.due(self._clock()):
            del self._alarms[name]
            self.wake(name)

    def next_deadline(self) -> float | None:
        """When `tick` is to be called, in seconds since the epoch. It may turn out that nothing was due."""
        return self._deadlines.next()

    def account(self) -> dict[str, Any]:
        """What each queue was asked to do and what it holds, by name."""
        now = self._clock()
        return {
            queue.name: {**queue.usage.report(now), "messages": len(queue.store.messages)}
            for queue in self.queues.values()
        }

    def _set_alarm(self, name: str) -> None:
        """Notes when a queue wants to be woken, if that is sooner than known."""
        at = self.queues[name].next_deadline()
        if at is not None and at < self._alarms.get(name, math.inf):
            self._alarms[name] = at
            self._deadlines.add(at, name)

    def _declare(self, settings: QueueSettings) -> None:
        dead_letters = Queue(
            replace(
                settings,
                name=settings.name + DEAD_LETTER_SUFFIX,
                requires_session=False,
                duplicate_window_seconds=0.0,
                is_dead_letter_queue=True,
            ),
            clock=self._clock,
            journal=self._journal,
            wake=self.wake,
        )
        queue = Queue(settings, clock=self._clock, journal=self._journal, wake=self.wake, dead_letters=dead_letters)
        for each in (queue, dead_letters):
            self.queues[each.name.lower()] = each
