"""Containers, their physical partitions, and what this server does not have inside them."""

from typing import Final

import orjson

from local.cosmos.catalog import Container
from local.cosmos.charge import METADATA
from local.cosmos.errors import STALE_CONTAINER, bad_request, not_covered
from local.cosmos.handlers.lists import chosen
from local.cosmos.request import Reply, Request, feed_reply, resource_reply
from local.cosmos.service import Service

_RANGES_TAG: Final = '"1"'
_EMPTY_FEEDS: Final = {
    "sprocs": "StoredProcedures",
    "udfs": "UserDefinedFunctions",
    "triggers": "Triggers",
    "conflicts": "Conflicts",
}


def owner(service: Service, request: Request) -> Container:
    """The container above what the request is about.

    Raises:
        CosmosError: 404 when it does not exist, 400 when the client means one that was deleted and created again.
    """
    database = service.catalog.database(request.segments[1])
    container = service.catalog.container(database, request.segments[3])
    wanted = request.headers.get("x-ms-cosmos-intended-collection-rid")
    if wanted is not None and wanted != container.rid:
        raise bad_request("The container was deleted and created again since the client looked.", STALE_CONTAINER)
    return container


async def create_container(service: Service, request: Request) -> Reply:
    """Creates a container."""
    database = service.catalog.database(request.segments[1])
    autoscale = request.headers.get("x-ms-cosmos-offer-autopilot-settings")
    throughput = _autoscale_maximum(autoscale) if autoscale else request.integer("x-ms-offer-throughput", 0)
    container = service.catalog.create_container(database, request.json_object(), throughput or None)
    return resource_reply(201, container.body, METADATA)


def _autoscale_maximum(header: str) -> int:
    try:
        return int(orjson.loads(header)["maxThroughput"])
    except (ValueError, TypeError, KeyError) as error:
        raise bad_request("The autoscale settings must be a JSON object with maxThroughput.") from error


async def list_containers(service: Service, request: Request) -> Reply:
    """All containers of a database, or those a query chooses."""
    database = service.catalog.database(request.segments[1])
    bodies = [container.body for container in database.containers.values()]
    return feed_reply("DocumentCollections", database.rid, chosen(bodies, request), METADATA)


def _named(service: Service, request: Request) -> Container:
    database = service.catalog.database(request.segments[1])
    return service.catalog.container(database, request.segments[3], is_owner=False)


async def read_container(service: Service, request: Request) -> Reply:
    """One container."""
    return resource_reply(200, _named(service, request).body, METADATA)


async def replace_container(service: Service, request: Request) -> Reply:
    """Changes a container's policies."""
    container = _named(service, request)
    before = container.policies.default_ttl_seconds
    with service.store.all_or_nothing():
        service.catalog.replace_container(container, request.json_object())
        if container.policies.default_ttl_seconds != before:
            service.rows.refresh_lifetimes(container)
    return resource_reply(200, container.body, METADATA)


async def delete_container(service: Service, request: Request) -> Reply:
    """Deletes a container with all its items."""
    service.catalog.delete_container(_named(service, request))
    return Reply(204, charge=METADATA)


async def list_ranges(service: Service, request: Request) -> Reply:
    """The physical partitions; 304 for a client that knows them, which ends its reading."""
    container = owner(service, request)
    if request.headers.get("if-none-match") == _RANGES_TAG:
        return Reply(304, headers={"etag": _RANGES_TAG}, charge=METADATA)
    ranges = service.ranges.ranges
    entries = [
        orjson.dumps(
            {
                "_rid": f"{container.rid}{found.number:04d}",
                "id": str(found.number),
                "_etag": _RANGES_TAG,
                "minInclusive": found.low,
                "maxExclusive": found.high,
                "ridPrefix": found.number,
                "_self": f"{container.body['_self']}pkranges/{found.number}/",
                "throughputFraction": 1 / len(ranges),
                "status": "online",
                "parents": [],
                "_ts": container.body["_ts"],
            }
        )
        for found in ranges
    ]
    return feed_reply("PartitionKeyRanges", container.rid, entries, METADATA, {"etag": _RANGES_TAG})


async def list_nothing(service: Service, request: Request) -> Reply:
    """Kinds of resources of which there are none here, since none can be made."""
    container = owner(service, request)
    return feed_reply(_EMPTY_FEEDS[request.segments[4]], container.rid, [], METADATA)


async def refuse_script(service: Service, request: Request) -> Reply:
    """Stored procedures, triggers and functions."""
    owner(service, request)
    raise not_covered(f"Server-side code ({request.segments[4]})")


async def refuse_users(service: Service, request: Request) -> Reply:
    """Users and permissions."""
    service.catalog.database(request.segments[1])
    raise not_covered("Users and permissions")
