"""The queue or subscription that a Service Bus trigger reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from local.host import settings as app_settings
from local.host.errors import HostError

_DEAD_LETTERS = "/$deadletterqueue"


@dataclass(frozen=True, slots=True)
class Entity:
    """What to receive from.

    Attributes:
        queue: Queue name; empty for a subscription.
        topic: Topic name; empty for a queue.
        subscription: Subscription name; empty for a queue.
        dead_letters: Its dead-letter queue instead of itself.
        sessions: Take one session after the other.
    """

    queue: str = ""
    topic: str = ""
    subscription: str = ""
    dead_letters: bool = False
    sessions: bool = False

    def __str__(self) -> str:
        """The path, as logs show it."""
        path = self.queue or f"{self.topic}/Subscriptions/{self.subscription}"
        return path + "/$DeadLetterQueue" * self.dead_letters

    def receiver(self, client: ServiceBusClient, *, session_wait_seconds: float = 60) -> ServiceBusReceiver:
        """A receiver on a connection of its own; with sessions, one that waits for the next one that is free."""
        options: dict[str, Any] = {}
        if self.dead_letters:
            options["sub_queue"] = ServiceBusSubQueue.DEAD_LETTER
        if self.sessions:
            options |= {"session_id": NEXT_AVAILABLE_SESSION, "max_wait_time": session_wait_seconds}
        if self.queue:
            return client.get_queue_receiver(self.queue, **options)
        return client.get_subscription_receiver(self.topic, self.subscription, **options)


def entity_of(trigger: Mapping[str, Any], settings: Mapping[str, str], *, function: str) -> Entity:
    """The entity of a serviceBusTrigger binding, with `%SETTING%` resolved.

    Raises:
        HostError: A name is missing or does not resolve.
    """

    def name(key: str) -> str:
        return app_settings.expand(str(trigger.get(key) or ""), settings, function=function)

    queue, topic, subscription = name("queueName"), name("topicName"), name("subscriptionName")
    if not queue and not (topic and subscription):
        raise HostError(f'Function "{function}": a Service Bus trigger needs a queue, or a topic and a subscription.')
    base = queue or subscription
    dead_letters = base.lower().endswith(_DEAD_LETTERS)
    if dead_letters:
        base = base[: -len(_DEAD_LETTERS)]
    return Entity(
        queue=base if queue else "",
        topic="" if queue else topic,
        subscription="" if queue else base,
        dead_letters=dead_letters,
        sessions=bool(trigger.get("isSessionsEnabled")),
    )
