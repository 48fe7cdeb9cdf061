"""Items: single, in batches, by query, and as a feed."""

from typing import Final

from local.cosmos.catalog import Container
from local.cosmos.charge import write_charge
from local.cosmos.errors import bad_request, not_covered
from local.cosmos.handlers.containers import owner
from local.cosmos.items import Conditions, Outcome
from local.cosmos.partitioning import Key
from local.cosmos.request import Reply, Request
from local.cosmos.selection import PARTITION_KEY
from local.cosmos.service import Service

_TRIGGERS: Final = ("x-ms-documentdb-pre-trigger-include", "x-ms-documentdb-post-trigger-include")


def _key(container: Container, request: Request) -> Key:
    header = request.headers.get(PARTITION_KEY)
    if header is None:
        raise bad_request("The partition key of the item must be given in the request's headers.")
    return container.policies.key.of_header(header)


def _optional_key(container: Container, request: Request) -> Key | None:
    header = request.headers.get(PARTITION_KEY)
    return None if header is None else container.policies.key.of_header(header)


def _conditions(request: Request) -> Conditions:
    return Conditions(request.headers.get("if-match"), request.headers.get("if-none-match"))


def _refuse_triggers(request: Request) -> None:
    if any(request.headers.get(name) for name in _TRIGGERS):
        raise not_covered("A trigger")


def _reply(service: Service, container: Container, request: Request, key: Key | None, outcome: Outcome) -> Reply:
    is_minimal = request.method != "GET" and request.headers.get("prefer", "").lower() == "return=minimal"
    headers = {} if outcome.etag is None else {"etag": outcome.etag}
    range_id = "0" if key is None else str(service.ranges.of(container.policies.key.effective(key)).number)
    return Reply(outcome.status, b"" if is_minimal else outcome.body, headers, outcome.charge, range_id)


async def create_item(service: Service, request: Request) -> Reply:
    """Stores a new item."""
    container = owner(service, request)
    _refuse_triggers(request)
    key = _optional_key(container, request)
    return _reply(service, container, request, key, service.items.create(container, key, request.json()))


async def upsert_item(service: Service, request: Request) -> Reply:
    """Stores an item over what is there, if anything."""
    container = owner(service, request)
    _refuse_triggers(request)
    key = _optional_key(container, request)
    outcome = service.items.upsert(container, key, request.json(), _conditions(request))
    return _reply(service, container, request, key, outcome)


async def read_item(service: Service, request: Request) -> Reply:
    """A point read."""
    container = owner(service, request)
    key = _key(container, request)
    outcome = service.items.read(container, key, request.segments[5], _conditions(request))
    return _reply(service, container, request, key, outcome)


async def replace_item(service: Service, request: Request) -> Reply:
    """Stores an item over the one that must be there."""
    container = owner(service, request)
    _refuse_triggers(request)
    key = _key(container, request)
    outcome = service.items.replace(container, key, request.segments[5], request.json(), _conditions(request))
    return _reply(service, container, request, key, outcome)


async def delete_item(service: Service, request: Request) -> Reply:
    """Removes an item."""
    container = owner(service, request)
    _refuse_triggers(request)
    key = _key(container, request)
    outcome = service.items.delete(container, key, request.segments[5], _conditions(request))
    return _reply(service, container, request, key, outcome)


async def patch_item(service: Service, request: Request) -> Reply:
    """Changes parts of an item."""
    container = owner(service, request)
    _refuse_triggers(request)
    key = _key(container, request)
    outcome = service.items.patch(container, key, request.segments[5], request.json(), _conditions(request))
    return _reply(service, container, request, key, outcome)


async def run_batch(service: Service, request: Request) -> Reply:
    """Several operations in one request."""
    container = owner(service, request)
    return service.batches.run(
        container,
        request.headers.get(PARTITION_KEY),
        request.json(),
        is_atomic=request.is_true("x-ms-cosmos-batch-atomic"),
        is_minimal=request.headers.get("prefer", "").lower() == "return=minimal",
    )


async def query_items(service: Service, request: Request) -> Reply:
    """One page of a query."""
    return await service.queries.answer(owner(service, request), request)


async def plan_query(service: Service, request: Request) -> Reply:
    """The plan of a query over several partitions."""
    return service.queries.plan(owner(service, request), request)


async def list_items(service: Service, request: Request) -> Reply:
    """One page of all items."""
    return await service.queries.read_feed(owner(service, request), request)


async def read_change_feed(service: Service, request: Request) -> Reply:
    """What changed."""
    return service.change_feed.page(owner(service, request), request)


async def delete_partition(service: Service, request: Request) -> Reply:
    """Removes all items with one partition key."""
    container = owner(service, request)
    key = _key(container, request)
    if len(key) < len(container.policies.key.paths):
        raise bad_request("Deleting by partition key needs the whole key.")
    count = service.rows.delete_partition(container, key)
    return Reply(200, charge=write_charge(0) * max(1, count))
