"""Which Service Bus namespace a trigger's `connection` means, and how to sign in there."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.servicebus.aio import ServiceBusClient

from local.host.errors import HostError
from local.host.hostjson import ServiceBusOptions

DEFAULT_NAME = "AzureWebJobsServiceBus"


@dataclass(frozen=True, slots=True)
class Connection:
    """A resolved connection.

    Attributes:
        connection_string: Secret; None when an identity is used.
        namespace: Fully qualified, for an identity.
        managed: Use the managed identity only; else whatever identity this machine has.
        client_id: Of a user-assigned managed identity.
    """

    connection_string: str | None = None
    namespace: str = ""
    managed: bool = False
    client_id: str | None = None

    def open(self, options: ServiceBusOptions) -> "Namespace":
        """A client for the namespace; each of its receivers opens a connection of its own."""
        retries: dict[str, Any] = {
            "retry_total": options.retry_total,
            "retry_backoff_factor": options.retry_delay_seconds,
            "retry_backoff_max": options.retry_max_delay_seconds,
            "retry_mode": options.retry_mode,
            # One for all: the SDK would load the certificates again for each receiver, in 17 to 20 ms and 0.7 MiB.
            "ssl_context": ssl.create_default_context(),
        }
        if self.connection_string is not None:
            return Namespace(ServiceBusClient.from_connection_string(self.connection_string, **retries), None)
        # Loading it takes longer than the rest of this package together, and few local runs need it.
        from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

        credential = ManagedIdentityCredential(client_id=self.client_id) if self.managed else DefaultAzureCredential()
        return Namespace(ServiceBusClient(self.namespace, credential, **retries), credential)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A client and the credential that it signs in with, if that is an identity."""

    client: ServiceBusClient
    credential: AsyncTokenCredential | None

    async def close(self) -> None:
        """Closes both."""
        await self.client.close()
        if self.credential is not None:
            await self.credential.close()


def resolve(name: str, settings: Mapping[str, str], *, function: str) -> Connection:
    """Finds the settings behind a trigger's `connection`.

    A plain setting wins over an identity-style group of settings; each may carry the prefix `AzureWebJobs`.

    Args:
        name: The trigger's `connection`, may be empty.
        settings: The application settings.
        function: For the message.

    Raises:
        HostError: Nothing is set; says what to set.
    """
    base = name or DEFAULT_NAME
    for prefix in ("AzureWebJobs", ""):
        if settings.get(prefix + base):
            return Connection(connection_string=settings[prefix + base])
    for prefix in ("AzureWebJobs", ""):
        namespace = settings.get(f"{prefix}{base}__fullyQualifiedNamespace")
        if namespace:
            return Connection(
                namespace=namespace,
                managed=settings.get(f"{prefix}{base}__credential", "").lower() == "managedidentity",
                client_id=settings.get(f"{prefix}{base}__clientId") or None,
            )
    raise HostError(
        f'Function "{function}": the connection "{base}" is not set. Set {base} to a connection string or '
        f"{base}__fullyQualifiedNamespace to a namespace."
    )
