"""The connection to Cosmos DB that the stores share, and the one place where its faults become ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.request import getproxies

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.errors import Unavailable
from shared.telemetry import log

T = TypeVar("T")
OPERATION_SECONDS = 5.0
RETRY_AFTER_SECONDS = 2.0
OURS = frozenset({400, 404, 409, 412})
"""Statuses that the stores deal with; all others mean that the service cannot help now."""


class CosmosConnection:
    """One client for the process, opened with the first operation."""

    def __init__(self, endpoint: str, credential: str | AsyncTokenCredential, database: str) -> None:
        """Notes where to connect; connects later."""
        self._endpoint, self._credential, self._database = endpoint, credential, database
        self._client: CosmosClient | None = None

    def container(self, name: str) -> ContainerProxy:
        """A container of the app's database."""
        if self._client is None:
            # Few and short retries: whoever waits behind this has a deadline, and longer waits are Spillway's own.
            self._client = CosmosClient(
                self._endpoint,
                credential=self._credential,
                retry_total=2,
                retry_connect=1,
                retry_read=1,
                retry_backoff_max=1,
                retry_throttle_total=3,
                retry_throttle_backoff_max=2,
                connection_timeout=3,
                read_timeout=4,
                # Otherwise each request looks for proxies and for a .netrc file, on two threads one after the other.
                transport=AioHttpTransport(use_env_settings=bool(getproxies())),
            )
        return self._client.get_database_client(self._database).get_container_client(name)

    async def close(self) -> None:
        """Closes the client."""
        if self._client is not None:
            await self._client.close()


@asynccontextmanager
async def translated(operation: str) -> AsyncIterator[None]:
    """Turns the faults of one operation into Unavailable; those a store deals with pass through."""
    try:
        async with asyncio.timeout(OPERATION_SECONDS):
            yield
    except CosmosHttpResponseError as fault:
        if fault.status_code in OURS:
            raise
        log.warning("fail_store", operation=operation, status=fault.status_code)
        raise Unavailable("The store does not answer.", retry_after_seconds=RETRY_AFTER_SECONDS) from fault
    except (AzureError, TimeoutError, OSError) as fault:
        log.warning("fail_store", operation=operation, fault=type(fault).__name__)
        raise Unavailable("The store does not answer.", retry_after_seconds=RETRY_AFTER_SECONDS) from fault


async def within(operation: str, work: Awaitable[T]) -> T:
    """The result of one operation, its faults translated."""
    async with translated(operation):
        return await work


def number(value: float) -> str:
    """A number for a patch's filter predicate, which takes no parameters."""
    return repr(float(value))


Item = dict[str, Any]
