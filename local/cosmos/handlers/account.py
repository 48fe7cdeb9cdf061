"""The account itself, and the throughput settings (offers) of its containers."""

from typing import Any

import orjson

from local.cosmos.charge import METADATA
from local.cosmos.handlers.lists import chosen
from local.cosmos.request import Reply, Request, feed_reply, resource_reply
from local.cosmos.service import Service

_POLICY = {"asyncReplication": False, "minReplicaSetSize": 1, "maxReplicasetSize": 4}
_QUERY_ENGINE = {
    "maxSqlQueryInputLength": 262144,
    "maxJoinsPerSqlQuery": 5,
    "maxQueryRequestTimeoutFraction": 0.9,
    "sqlAllowNonFiniteNumbers": False,
    "sqlAllowAggregateFunctions": True,
    "sqlAllowSubQuery": True,
    "sqlAllowScalarSubQuery": True,
    "sqlAllowLike": True,
    "sqlAllowGroupByClause": True,
    "sqlAllowTop": True,
    "enableSpatialIndexing": False,
}


async def read_account(service: Service, request: Request) -> Reply:
    """The account; its end points are where the client already is."""
    del service
    location = [{"name": "Local", "databaseAccountEndpoint": request.base_url}]
    body: dict[str, Any] = {
        "_self": "",
        "id": "local",
        "_rid": "local.documents.azure.com",
        "media": "//media/",
        "addresses": "//addresses/",
        "_dbs": "//dbs/",
        "writableLocations": location,
        "readableLocations": location,
        "enableMultipleWriteLocations": False,
        "userReplicationPolicy": _POLICY,
        "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "systemReplicationPolicy": _POLICY,
        "readPolicy": {"primaryReadCoefficient": 1, "secondaryReadCoefficient": 1},
        "queryEngineConfiguration": orjson.dumps(_QUERY_ENGINE).decode(),
    }
    return resource_reply(200, body, METADATA)


async def list_offers(service: Service, request: Request) -> Reply:
    """All offers, or those a query chooses."""
    return feed_reply("Offers", "", chosen(service.catalog.offers.all(), request), METADATA)


async def read_offer(service: Service, request: Request) -> Reply:
    """One offer."""
    return resource_reply(200, service.catalog.offers.get(request.segments[1]), METADATA)


async def replace_offer(service: Service, request: Request) -> Reply:
    """Changes an offer's throughput."""
    offer = service.catalog.offers.get(request.segments[1])
    return resource_reply(200, service.catalog.offers.replace(offer, request.json_object().get("content")), METADATA)
