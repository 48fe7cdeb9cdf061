"""Databases."""

from local.cosmos.charge import METADATA
from local.cosmos.handlers.lists import chosen
from local.cosmos.request import Reply, Request, feed_reply, resource_reply
from local.cosmos.service import Service


async def create_database(service: Service, request: Request) -> Reply:
    """Creates a database."""
    return resource_reply(201, service.catalog.create_database(request.json_object()).body, METADATA)


async def list_databases(service: Service, request: Request) -> Reply:
    """All databases, or those a query chooses."""
    bodies = [database.body for database in service.catalog.databases()]
    return feed_reply("Databases", "", chosen(bodies, request), METADATA)


async def read_database(service: Service, request: Request) -> Reply:
    """One database."""
    return resource_reply(200, service.catalog.database(request.segments[1], is_owner=False).body, METADATA)


async def delete_database(service: Service, request: Request) -> Reply:
    """Deletes a database with all it holds."""
    service.catalog.delete_database(service.catalog.database(request.segments[1], is_owner=False))
    return Reply(204, charge=METADATA)
