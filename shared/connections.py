"""The connections of one process and the credentials they are made with; each opens with its first use."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError

from shared.adapters.cosmos_connection import CosmosConnection
from shared.adapters.credentials import credential
from shared.adapters.openai_chat import ApiKey, OpenAIConnections
from shared.adapters.service_bus_connection import ServiceBusConnection
from shared.adapters.service_bus_relay import QUEUE
from shared.adapters.telemetry_reader import SCOPE, TelemetryReader
from shared.errors import Unavailable
from shared.lanes import Lane, queue_of
from shared.settings import Settings
from shared.telemetry import log

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


class Connections:
    """Keys where the settings name them, as on a laptop, and the app's identity everywhere else.

    Attributes:
        store: Cosmos DB.
        bus: Service Bus.
        models: Azure OpenAI.
        telemetry: Where telemetry is asked for; None without an endpoint.
    """

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._credential: AsyncTokenCredential | None = None
        self.store = CosmosConnection(
            settings.cosmos_endpoint, settings.cosmos_key or self._identity(), settings.cosmos_database
        )
        self.bus = ServiceBusConnection(
            settings.service_bus_connection_string,
            settings.service_bus_namespace,
            None if settings.service_bus_connection_string else self._identity(),
        )
        self.models = OpenAIConnections(self._openai_key())
        self.telemetry = self._telemetry_reader()

    def open_lane(self, lane: Lane) -> None:
        """Begins to open the link by which turns of a lane are queued."""
        self.bus.sender(queue_of(lane)).prepare()

    def open_relay(self) -> None:
        """Begins to open the link by which text goes to whoever waits for it."""
        self.bus.sender(QUEUE).prepare()

    async def sign_in_to_models(self) -> None:
        """Fetches the models' first token, which the credential keeps; with a key there is nothing to do.

        Raises:
            Unavailable: There is none to be had.
        """
        await self.models.sign_in()

    async def close(self) -> None:
        """Closes every connection; one that fails to is told of and keeps no other open."""
        closing = [self.bus.close(), self.store.close(), self.models.close()]
        if self.telemetry is not None:
            closing.append(self.telemetry.close())
        if self._credential is not None:
            closing.append(self._credential.close())
        # At the loop's end the SDKs' own tasks are cancelled already, which some of them pass on; all get closed.
        for result in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(result, Exception):
                log.failure("close_connection", result)

    def _identity(self) -> Any:
        if self._credential is None:
            self._credential = credential(self._settings)
        return self._credential

    def _telemetry_reader(self) -> TelemetryReader | None:
        endpoint = self._settings.query_endpoint
        if endpoint is None:
            return None
        # Only the service on this machine is spoken to without TLS, and it wants no token.
        if endpoint.startswith("http://"):
            return TelemetryReader(endpoint, None)
        from azure.identity.aio import get_bearer_token_provider  # noqa: PLC0415  local runs need no token

        return TelemetryReader(endpoint, get_bearer_token_provider(self._identity(), SCOPE))

    def _openai_key(self) -> ApiKey:
        if self._settings.openai_key is not None:
            return self._settings.openai_key
        from azure.identity.aio import get_bearer_token_provider  # noqa: PLC0415  local runs use a key

        return _tokens(get_bearer_token_provider(self._identity(), self._settings.openai_scope))


def _tokens(provider: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
    """Tokens whose absence is a fault like any other of a dependency: it passes, and the turn is tried again."""

    async def token() -> str:
        try:
            return await provider()
        except AzureError as fault:
            log.warning("miss_token", fault=type(fault).__name__)
            raise Unavailable("The identity gives no token for the models.") from fault

    return token
