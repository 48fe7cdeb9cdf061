"""Databases, containers and offers: kept in memory, written through to the store."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from local.cosmos.errors import bad_request, conflict, missing, owner_not_found
from local.cosmos.offers import Offers
from local.cosmos.policies import Policies, complete, read_policies
from local.cosmos.rids import container_rid, database_rid
from local.cosmos.stamps import stamp
from local.cosmos.store import Store

ID_LIMIT_BYTES: Final = 1023
_FIXED: Final = ("id", "partitionKey", "uniqueKeyPolicy", "vectorEmbeddingPolicy")
_FORBIDDEN: Final = frozenset("/\\?#")


@dataclass(slots=True)
class Container:
    """A container and what its definition means."""

    number: int
    database: "Database"
    body: dict[str, Any]
    policies: Policies

    @property
    def rid(self) -> str:
        """Its resource id."""
        return str(self.body["_rid"])

    @property
    def id(self) -> str:
        """Its name."""
        return str(self.body["id"])


@dataclass(slots=True)
class Database:
    """A database and its containers, by name and by resource id."""

    number: int
    body: dict[str, Any]
    containers: dict[str, Container] = field(default_factory=dict)
    by_rid: dict[str, Container] = field(default_factory=dict)

    @property
    def rid(self) -> str:
        """Its resource id."""
        return str(self.body["_rid"])


def check_id(value: Any) -> str:
    """The id of any resource.

    Raises:
        CosmosError: It is no text of 1 to 1023 bytes without slashes, backslashes, `?` and `#`.
    """
    if not isinstance(value, str) or not value:
        raise bad_request("The input content is invalid because the required property 'id' is missing or empty.")
    if len(value.encode()) > ID_LIMIT_BYTES:
        raise bad_request(f"An id can have at most {ID_LIMIT_BYTES} bytes.")
    if not _FORBIDDEN.isdisjoint(value):
        raise bad_request("An id must not contain '/', '\\', '?' or '#'.")
    return value


class Catalog:
    """All databases of the account."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._databases: dict[str, Database] = {}
        self._by_rid: dict[str, Database] = {}
        self.offers = Offers(store)
        self._load()

    def _load(self) -> None:
        by_number: dict[int, Database] = {}
        for number, _, body in self._store.resources("database"):
            by_number[number] = self._know_database(Database(number, orjson.loads(body)))
        for number, parent, body in self._store.resources("container"):
            definition = orjson.loads(body)
            self._know(Container(number, by_number[parent], definition, read_policies(definition)))

    def databases(self) -> Iterable[Database]:
        """All databases, oldest first."""
        return self._databases.values()

    def database(self, name: str, *, is_owner: bool = True) -> Database:
        """A database by its name or resource id.

        Args:
            name: Name or resource id.
            is_owner: Whether something below it is wanted; that decides the substatus.

        Raises:
            CosmosError: 404.
        """
        found = self._databases.get(name) or self._by_rid.get(name)
        if found is None:
            raise owner_not_found(f"The database {name!r}") if is_owner else missing("database", name)
        return found

    def container(self, database: Database, name: str, *, is_owner: bool = True) -> Container:
        """A container by its name or resource id.

        Raises:
            CosmosError: 404.
        """
        found = database.containers.get(name) or database.by_rid.get(name)
        if found is None:
            raise owner_not_found(f"The container {name!r}") if is_owner else missing("container", name)
        return found

    def create_database(self, definition: dict[str, Any]) -> Database:
        """Creates a database.

        Raises:
            CosmosError: 400 for a bad id, 409 when the name is taken.
        """
        name = check_id(definition.get("id"))
        if name in self._databases:
            raise conflict(f"A database with the id {name!r} already exists.")
        number = self._store.insert_resource("database", 0, name)
        rid = database_rid(number)
        body = {"id": name, "_rid": rid, "_self": f"dbs/{rid}/", "_colls": "colls/", "_users": "users/", **stamp()}
        self._store.save_resource(number, body)
        return self._know_database(Database(number, body))

    def create_container(self, database: Database, definition: dict[str, Any], throughput: int | None) -> Container:
        """Creates a container, and an offer when throughput is given.

        Raises:
            CosmosError: 400 for a bad definition, 409 when the name is taken.
        """
        name = check_id(definition.get("id"))
        if name in database.containers:
            raise conflict(f"A container with the id {name!r} already exists.")
        completed = complete(definition)
        policies = read_policies(completed)
        with self._store.all_or_nothing():
            number = self._store.insert_resource("container", database.number, name)
            rid = container_rid(database.number, number)
            body = {**completed, **_container_links(database.rid, rid), **stamp()}
            self._store.save_resource(number, body)
            container = self._know(Container(number, database, body, policies))
            self.offers.create(number, body, throughput)
        return container

    def replace_container(self, container: Container, definition: dict[str, Any]) -> Container:
        """Changes what may change: indexing, lifetime and conflict policies.

        Raises:
            CosmosError: 400 when the id, the partition key, the unique keys or the vector policy would change.
        """
        fixed: dict[str, Any] = {name: container.body[name] for name in _FIXED if name in container.body}
        # Clients that know nothing of a policy leave it out when they change another.
        completed = complete({**fixed, **definition})
        for name in _FIXED:
            if completed.get(name) != container.body.get(name):
                raise bad_request(f"The {name} of a container cannot be changed.")
        kept = {name: value for name, value in container.body.items() if name.startswith("_")}
        container.policies = read_policies(completed)
        container.body = {**completed, **kept, **stamp()}
        self._store.save_resource(container.number, container.body)
        return container

    def delete_database(self, database: Database) -> None:
        """Deletes a database with all it holds."""
        with self._store.all_or_nothing():
            for container in list(database.containers.values()):
                self.delete_container(container)
            self._store.connection.execute("DELETE FROM resources WHERE number = ?", (database.number,))
        del self._databases[database.body["id"]], self._by_rid[database.rid]

    def delete_container(self, container: Container) -> None:
        """Deletes a container with all its items."""
        with self._store.all_or_nothing():
            run = self._store.connection.execute
            # Its number is never used again, so its items can go bit by bit, in the background.
            run("INSERT INTO dropped VALUES (?)", (container.number,))
            run("DELETE FROM resources WHERE number = ?", (container.number,))
            self.offers.delete(container.number, container.rid)
        del container.database.containers[container.id], container.database.by_rid[container.rid]

    def _know_database(self, database: Database) -> Database:
        self._databases[database.body["id"]] = self._by_rid[database.rid] = database
        return database

    def _know(self, container: Container) -> Container:
        container.database.containers[container.id] = container.database.by_rid[container.rid] = container
        return container


def _container_links(database_rid_text: str, rid: str) -> dict[str, Any]:
    feeds = {f"_{name}": f"{name}/" for name in ("docs", "sprocs", "triggers", "udfs", "conflicts")}
    return {"_rid": rid, "_self": f"dbs/{database_rid_text}/colls/{rid}/", **feeds}
