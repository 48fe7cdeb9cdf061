"""Items as rows: find, write, delete. One container's unique keys and lifetimes are kept here."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from local.cosmos.catalog import Container
from local.cosmos.errors import CosmosError, conflict
from local.cosmos.partitioning import Key, effective_key, key_text
from local.cosmos.rids import item_number, item_rid
from local.cosmos.sql.values import UNDEFINED, canonical
from local.cosmos.stamps import new_etag
from local.cosmos.store import Store

ITEM_LIMIT_BYTES: Final = 2 * 1024 * 1024
_COLUMNS: Final = "number, key, id, etag, body, expires"
_PURGE_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A stored item.

    Attributes:
        number: Its number in the store, part of its resource id.
        key: Its partition key as JSON text.
        id: Its id within the partition.
        etag: Its entity tag, with quotes.
        body: Its JSON with the system members, as a read returns it.
    """

    number: int
    key: str
    id: str
    etag: str
    body: bytes


class Rows:
    """The items of all containers.

    Args:
        store: Where they are.
        clock: Seconds since 1970, for lifetimes and timestamps.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._run = store.connection.execute
        self.clock = clock

    def find(self, container: Container, key: Key, name: str) -> Row | None:
        """An item by partition key and id, or by partition key and resource id."""
        found = self._row(
            f"SELECT {_COLUMNS} FROM items WHERE container = ? AND key = ? AND id = ?", container, key, name
        )
        if found is None and (number := item_number(name)) is not None:
            sql = f"SELECT {_COLUMNS} FROM items WHERE container = ? AND key = ? AND number = ?"
            found = self._row(sql, container, key, number)
        return found

    def _row(self, sql: str, container: Container, key: Key, last: Any) -> Row | None:
        row = self._run(sql, (container.number, key_text(key), last)).fetchone()
        if row is None:
            return None
        *values, expires = row
        if expires is not None and expires <= self.clock():
            self._run("DELETE FROM items WHERE number = ?", (values[0],))
            return None
        return Row(*values)

    def write(self, container: Container, key: Key, item: dict[str, Any], old: Row | None) -> Row:
        """Stores an item, over an old one when given, with fresh system members.

        Raises:
            CosmosError: 413 when it is too large, 409 when a unique key is taken.
        """
        change, now, etag = self._store.next_change(), self.clock(), new_etag()
        number = change if old is None else old.number
        rid = item_rid(container.database.number, container.number, number)
        item["_rid"] = rid
        item["_self"] = f"{container.body['_self']}docs/{rid}/"
        item["_etag"] = etag
        item["_attachments"] = "attachments/"
        item["_ts"] = int(now)
        body = orjson.dumps(item)
        if len(body) > ITEM_LIMIT_BYTES:
            raise CosmosError(413, f"An item can have at most {ITEM_LIMIT_BYTES} bytes.")
        row = Row(number, key_text(key), item["id"], etag, body)
        if not container.policies.unique_keys:
            self._put(container, row, change, _expires(container, item, now), is_new=old is None)
            return row
        with self._store.all_or_nothing():
            self._put(container, row, change, _expires(container, item, now), is_new=old is None)
            self._claim(container, row, item)
        return row

    def _put(self, container: Container, row: Row, change: int, expires: float | None, *, is_new: bool) -> None:
        moment = int(self.clock() * 1000)
        if not is_new:
            self._run(
                "UPDATE items SET change = ?, changed_ms = ?, expires = ?, etag = ?, body = ? WHERE number = ?",
                (change, moment, expires, row.etag, row.body, row.number),
            )
            return
        place = effective_key(row.key, hierarchical=container.policies.key.hierarchical)
        self._run(
            "INSERT INTO items (number, container, key, id, hash, change, changed_ms, expires, etag, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row.number, container.number, row.key, row.id, place, change, moment, expires, row.etag, row.body),
        )

    def _claim(self, container: Container, row: Row, item: dict[str, Any]) -> None:
        self._purge_partition(container, row.key)
        self._run("DELETE FROM unique_values WHERE item = ?", (row.number,))
        for place, paths in enumerate(container.policies.unique_keys):
            value = canonical([_value_at(item, path) for path in paths])
            try:
                self._run(
                    "INSERT INTO unique_values VALUES (?, ?, ?, ?, ?)",
                    (container.number, row.key, place, value, row.number),
                )
            except sqlite3.IntegrityError as error:
                names = ", ".join("/" + "/".join(path) for path in paths)
                raise conflict(f"Unique index constraint violation: another item has the same {names}.") from error

    def delete(self, row: Row) -> None:
        """Removes an item."""
        self._run("DELETE FROM items WHERE number = ?", (row.number,))

    def delete_partition(self, container: Container, key: Key) -> int:
        """Removes all items with one partition key; returns how many."""
        text = key_text(key)
        return self._run("DELETE FROM items WHERE container = ? AND key = ?", (container.number, text)).rowcount

    def refresh_lifetimes(self, container: Container) -> None:
        """Computes again when items expire, after the container's default has changed."""
        default = container.policies.default_ttl_seconds
        own = "json_extract(CAST(body AS TEXT), '$.ttl')"
        lifetime = f"coalesce({own}, {default})"
        expires = (
            "NULL"
            if default is None
            else f"CASE WHEN {lifetime} < 0 THEN NULL ELSE changed_ms / 1000.0 + {lifetime} END"
        )
        self._run(f"UPDATE items SET expires = {expires} WHERE container = ?", (container.number,))

    def purge(self) -> int:
        """Removes some items whose lifetime is over or whose container is gone; returns how many."""
        due = "SELECT number FROM items WHERE expires <= ? LIMIT ?"
        expired = self._run(f"DELETE FROM items WHERE number IN ({due})", (self.clock(), _PURGE_BATCH)).rowcount
        return expired + self._purge_dropped()

    def _purge_dropped(self) -> int:
        dropped = self._run("SELECT container FROM dropped LIMIT 1").fetchone()
        if dropped is None:
            return 0
        left = "SELECT number FROM items WHERE container = ? LIMIT ?"
        removed = self._run(f"DELETE FROM items WHERE number IN ({left})", (*dropped, _PURGE_BATCH)).rowcount
        if not removed:
            self._run("DELETE FROM dropped WHERE container = ?", dropped)
        return removed + 1

    def _purge_partition(self, container: Container, key: str) -> None:
        sql = "DELETE FROM items WHERE container = ? AND key = ? AND expires <= ?"
        self._run(sql, (container.number, key, self.clock()))


def _expires(container: Container, item: dict[str, Any], now: float) -> float | None:
    default = container.policies.default_ttl_seconds
    if default is None:
        return None
    lifetime = item.get("ttl", default)
    return None if lifetime == -1 else now + lifetime


def _value_at(item: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = item
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is UNDEFINED else value
