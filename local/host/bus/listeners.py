"""Picks the listener for each Service Bus function and owns the clients behind them."""

from collections.abc import Iterable, Mapping

from azure.servicebus.aio import ServiceBusClient

from local.host.app.functions import SERVICE_BUS, Function
from local.host.app.invocation import Invoker
from local.host.bus.batch import BatchListener
from local.host.bus.connection import Connection, Namespace, resolve
from local.host.bus.entity import Entity, entity_of
from local.host.bus.listener import BusListener, is_many
from local.host.bus.queue import QueueListener
from local.host.bus.session import SessionListener
from local.host.hostjson import ServiceBusOptions


class BusTriggers:
    """The Service Bus functions of one instance.

    Attributes:
        listeners: One for each function, not started yet.
    """

    def __init__(
        self, functions: Iterable[Function], options: ServiceBusOptions, settings: Mapping[str, str], invoker: Invoker
    ) -> None:
        """Resolves connections and names; connects to nothing yet.

        Raises:
            HostError: A connection or an entity name is not set.
        """
        self._namespaces: dict[Connection, Namespace] = {}
        self.listeners: list[BusListener] = []
        for function in functions:
            if function.kind == SERVICE_BUS:
                connection = resolve(str(function.trigger.get("connection") or ""), settings, function=function.name)
                entity = entity_of(function.trigger, settings, function=function.name)
                client = self._client(connection, options)
                self.listeners.append(_kind(function, entity)(function, entity, client, options, invoker))

    def _client(self, connection: Connection, options: ServiceBusOptions) -> ServiceBusClient:
        if connection not in self._namespaces:
            self._namespaces[connection] = connection.open(options)
        return self._namespaces[connection].client

    async def close(self) -> None:
        """Closes the clients and their credentials."""
        for namespace in self._namespaces.values():
            await namespace.close()


def _kind(function: Function, entity: Entity) -> type[BusListener]:
    if entity.sessions:
        return SessionListener
    return BatchListener if is_many(function) else QueueListener
