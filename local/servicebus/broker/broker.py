"""All queues, one turn at a time: deliver what can be delivered, make it last, then let it out."""

from collections.abc import Callable, Iterable
from dataclasses import replace

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
        self._awake: dict[Queue, None] = {}
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

    def wake(self, queue: Queue) -> None:
        """The queue has something to do at the end of this turn."""
        self._awake[queue] = None

    def finish_turn(self) -> None:
        """Delivers, then commits. What was queued for clients may leave after this."""
        while self._awake:
            awake, self._awake = self._awake, {}
            for queue in awake:
                queue.pump()
        self._journal.commit()

    def tick(self) -> None:
        """Wakes the queues for which something is due."""
        now = self._clock()
        for queue in self.queues.values():
            at = queue.next_deadline()
            if at is not None and at <= now:
                self.wake(queue)

    def next_deadline(self) -> float | None:
        """When `tick` is to be called."""
        return min((at for at in (queue.next_deadline() for queue in self.queues.values()) if at), default=None)

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
