"""What can be done to one item. Everything here runs without a pause, so each operation is atomic."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from local.cosmos.catalog import Container, check_id
from local.cosmos.charge import read_charge, write_charge
from local.cosmos.errors import (
    CONDITION_NOT_MET,
    PARTITION_KEY_MISMATCH,
    CosmosError,
    bad_request,
    conflict,
    item_not_found,
    precondition_failed,
)
from local.cosmos.partitioning import Key, key_text
from local.cosmos.patch import apply_patch
from local.cosmos.policies import check_ttl
from local.cosmos.rows import Row, Rows
from local.cosmos.sql.errors import QueryError, QueryTooExpensive
from local.cosmos.sql.parser import parse_condition
from local.cosmos.sql.pipeline import Pipeline, compile_query
from local.cosmos.sql.scope import Budget

_NESTING_LIMIT: Final = 128
_CONDITION_STEPS: Final = 200_000
_NESTED: Final = (dict, list)
_MISSED_CHARGE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """Entity tags a request insists on; None where it does not."""

    if_match: str | None = None
    if_none_match: str | None = None

    def check_write(self, row: Row | None) -> None:
        """Checks If-Match and If-None-Match before a write over an existing item.

        Raises:
            CosmosError: 412 when the stored tag is not as the request wants it.
        """
        if row is None:
            return
        if self.if_match is not None and self.if_match not in {"*", row.etag}:
            raise precondition_failed()
        if self.if_none_match is not None and self.if_none_match in {"*", row.etag}:
            raise precondition_failed()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation on one item ended.

    Attributes:
        status: HTTP status.
        charge: Request units.
        etag: Entity tag of the item now, None when it is gone.
        body: The item as stored, empty when the status has none.
    """

    status: int
    charge: float
    etag: str | None = None
    body: bytes = b""


class Items:
    """Operations on single items."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def read(self, container: Container, key: Key, name: str, conditions: Conditions) -> Outcome:
        """A point read; 304 when the caller already has this version.

        Raises:
            CosmosError: 404.
        """
        row = self._existing(container, key, name)
        if conditions.if_none_match in {"*", row.etag}:
            return Outcome(304, _MISSED_CHARGE, row.etag)
        return Outcome(200, read_charge(len(row.body)), row.etag, row.body)

    def create(self, container: Container, key: Key | None, item: Any) -> Outcome:
        """Stores a new item.

        Raises:
            CosmosError: 400 for a bad item, 409 when the id is taken in its partition.
        """
        own_key, name = _check_item(container, item, key)
        if self.rows.find(container, own_key, name) is not None:
            raise conflict("Entity with the specified id already exists in the system.")
        return self._stored(201, container, own_key, item, None)

    def upsert(self, container: Container, key: Key | None, item: Any, conditions: Conditions) -> Outcome:
        """Stores an item over what is there, if anything.

        Raises:
            CosmosError: 400, 409 or 412.
        """
        own_key, name = _check_item(container, item, key)
        old = self.rows.find(container, own_key, name)
        conditions.check_write(old)
        return self._stored(201 if old is None else 200, container, own_key, item, old)

    def replace(self, container: Container, key: Key, name: str, item: Any, conditions: Conditions) -> Outcome:
        """Stores an item over the one that must be there.

        Raises:
            CosmosError: 400, 404 or 412.
        """
        old = self._existing(container, key, name)
        conditions.check_write(old)
        own_key, new_name = _check_item(container, item, key)
        if new_name != old.id:
            raise bad_request("The id of the item and the id in the request's path are different.")
        return self._stored(200, container, own_key, item, old)

    def delete(self, container: Container, key: Key, name: str, conditions: Conditions) -> Outcome:
        """Removes an item.

        Raises:
            CosmosError: 404 or 412.
        """
        old = self._existing(container, key, name)
        conditions.check_write(old)
        self.rows.delete(old)
        return Outcome(204, write_charge(len(old.body)))

    def patch(self, container: Container, key: Key, name: str, patch: Any, conditions: Conditions) -> Outcome:
        """Changes parts of an item, if it meets the patch's filter predicate.

        Raises:
            CosmosError: 400, 404, or 412 when an entity tag or the predicate does not hold.
        """
        old = self._existing(container, key, name)
        conditions.check_write(old)
        operations, condition = (
            (patch.get("operations"), patch.get("condition")) if isinstance(patch, dict) else (patch, None)
        )
        item = orjson.loads(old.body)
        if condition is not None and not _holds(condition, item):
            raise CosmosError(412, "The item does not meet the patch's filter predicate.", CONDITION_NOT_MET)
        apply_patch(item, operations)
        own_key, new_name = _check_item(container, item, None)
        if new_name != old.id or key_text(own_key) != old.key:
            raise bad_request("A patch cannot change the id or the partition key of an item.")
        return self._stored(200, container, own_key, item, old)

    def _existing(self, container: Container, key: Key, name: str) -> Row:
        if len(key) < len(container.policies.key.paths):
            raise bad_request(
                "The partition key has fewer values than the container's key has paths.", PARTITION_KEY_MISMATCH
            )
        row = self.rows.find(container, key, name)
        if row is None:
            raise item_not_found()
        return row

    def _stored(self, status: int, container: Container, key: Key, item: dict[str, Any], old: Row | None) -> Outcome:
        row = self.rows.write(container, key, item, old)
        return Outcome(status, write_charge(len(row.body), replaces=old is not None), row.etag, row.body)


def _check_item(container: Container, item: Any, key: Key | None) -> tuple[Key, str]:
    if not isinstance(item, dict):
        raise bad_request("An item must be a JSON object.")
    name = check_id(item.get("id"))
    if "ttl" in item:
        check_ttl(item["ttl"], "ttl")
    if not _is_shallow(item):
        raise bad_request(f"An item can be nested at most {_NESTING_LIMIT} levels deep.")
    own_key = container.policies.key.of_item(item)
    if key is not None and key_text(key) != key_text(own_key):
        raise bad_request(
            "The partition key of the item and that of the request are different.", PARTITION_KEY_MISMATCH
        )
    return own_key, name


def _is_shallow(item: dict[str, Any]) -> bool:
    level: list[Any] = [item]
    for _ in range(_NESTING_LIMIT):
        below = [value for value in level if isinstance(value, _NESTED)]
        level = [inner for value in below for inner in (value.values() if isinstance(value, dict) else value)]
        if not below:
            return True
    return False


def _holds(condition: Any, item: dict[str, Any]) -> bool:
    if not isinstance(condition, str):
        raise bad_request("A patch's condition must be a string.")
    try:
        pipeline = _compiled_condition(condition)
        return pipeline.matches(pipeline.environment({}, Budget(_CONDITION_STEPS)), item)
    except QueryError as error:
        raise bad_request(f"The patch's condition is wrong: {error}") from error
    except QueryTooExpensive as error:
        raise bad_request(f"The patch's condition is too expensive: {error}") from error


@lru_cache(maxsize=512)
def _compiled_condition(text: str) -> Pipeline:
    return compile_query(parse_condition(text))
