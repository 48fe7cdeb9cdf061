"""Who this app is to Azure: its managed identity, or the developer's own sign-in on a laptop."""

from typing import TYPE_CHECKING

from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def credential(settings: Settings) -> "AsyncTokenCredential":
    """The credential for all Azure services; the caller closes it."""
    # Imported here because local runs with connection strings never need it.
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

    if settings.client_id:
        return ManagedIdentityCredential(client_id=settings.client_id)
    return DefaultAzureCredential()
