"""One account per number of physical partitions, shared by a module's tests."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from azure.cosmos import CosmosClient, DatabaseProxy
from azure.cosmos.aio import CosmosClient as AsyncCosmosClient
from azure.cosmos.aio import DatabaseProxy as AsyncDatabaseProxy

from tests.contract.cosmos.raw import KEY, Account
from tests.processes import Service, running


@pytest.fixture(scope="package", params=["1", "4"], ids=["one range", "four ranges"])
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("cosmos")
    with running("local.cosmos", "--port", "0", "--ranges", request.param, folder=folder) as service:
        yield service


@pytest.fixture(scope="package")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An account with one physical partition, for what does not depend on their number."""
    with running("local.cosmos", "--port", "0", folder=tmp_path_factory.mktemp("cosmos")) as service:
        yield service


@pytest.fixture
def raw(single: Service) -> Account:
    return Account(single.url)


@pytest.fixture(scope="package")
def client(account: Service) -> Iterator[CosmosClient]:
    with CosmosClient(account.url, KEY) as client:
        yield client


@pytest.fixture(scope="package")
def single_client(single: Service) -> Iterator[CosmosClient]:
    with CosmosClient(single.url, KEY) as client:
        yield client


@pytest.fixture
def database(client: CosmosClient) -> DatabaseProxy:
    return client.create_database(f"db-{uuid.uuid4()}")


@pytest.fixture
def single_database(single_client: CosmosClient) -> DatabaseProxy:
    return single_client.create_database(f"db-{uuid.uuid4()}")


@pytest.fixture
async def async_database(account: Service) -> AsyncIterator[AsyncDatabaseProxy]:
    name = f"db-{uuid.uuid4()}"
    async with AsyncCosmosClient(account.url, KEY) as client:
        yield await client.create_database(name)
        await client.delete_database(name)


@pytest.fixture
def link(raw: Account) -> str:
    """A fresh container of the raw account, as a link."""
    name = f"db-{uuid.uuid4()}"
    assert raw.call("POST", "dbs", {"id": name}).status == 201
    definition = {"id": "items", "partitionKey": {"paths": ["/pk"], "kind": "Hash", "version": 2}}
    assert raw.call("POST", f"dbs/{name}/colls", definition).status == 201
    return f"dbs/{name}/colls/items"
