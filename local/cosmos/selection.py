"""Which items a request is about: container, partition key, physical partition and hash range, combined."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any

from local.cosmos.catalog import Container
from local.cosmos.partitioning import LAST, RangeMap, key_text
from local.cosmos.request import Request

PARTITION_KEY = "x-ms-documentdb-partitionkey"
RANGE_ID = "x-ms-documentdb-partitionkeyrangeid"
START_HASH = "x-ms-start-epk"
END_HASH = "x-ms-end-epk"

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Selection:
    """A condition on rows with its arguments.

    Attributes:
        where: SQL conditions, all of which hold.
        arguments: Their arguments, in order.
        range_id: The physical partition it lies in, "0" when it spans several.
        is_narrowed: Whether anything beyond the container was given.
    """

    where: tuple[str, ...]
    arguments: tuple[Any, ...]
    range_id: str
    is_narrowed: bool

    def also(self, where: str, *arguments: Any) -> "Selection":
        """The same with one more condition."""
        return replace(self, where=(*self.where, where), arguments=(*self.arguments, *arguments))

    def sql(self, columns: str, tail: str) -> str:
        """A SELECT over it."""
        return f"SELECT {columns} FROM items WHERE {' AND '.join(self.where)} {tail}"

    def is_larger_than(self, connection: Connection, count: int) -> bool:
        """Whether it has more than so many items; looks at no more than that."""
        inner = self.sql("1", f"LIMIT {count + 1}")
        found: int = connection.execute(f"SELECT count(*) FROM ({inner})", self.arguments).fetchone()[0]
        return found > count

    def scan(self, connection: Connection, after: Place | None) -> Iterator[tuple[Place, bytes]]:
        """Places and bodies in the order of hashes, from after a place on."""
        selection = self if after is None else self.also("(hash, number) > (?, ?)", *after)
        sql = selection.sql("hash, number, body", "ORDER BY hash, number")
        for place, number, body in connection.execute(sql, selection.arguments):
            yield (place, number), body


def select(container: Container, request: Request, ranges: RangeMap, now: float) -> Selection:
    """Reads the selection from a request's headers.

    Raises:
        CosmosError: 400 for a bad partition key, 410 for an unknown physical partition.
    """
    headers = request.headers
    selection = Selection(
        ("container = ?", "(expires IS NULL OR expires > ?)"), (container.number, now), "0", is_narrowed=False
    )
    if (header := headers.get(PARTITION_KEY)) is not None:
        selection = _with_key(selection, container, header, ranges)
    if (name := headers.get(RANGE_ID)) is not None:
        found = ranges.named(name)
        selection = replace(
            selection.also("hash >= ? AND hash < ?", found.low, found.high), range_id=name, is_narrowed=True
        )
    if (low := headers.get(START_HASH)) is not None:
        high = headers.get(END_HASH, LAST)
        upper = "hash <= ?" if low == high else "hash < ?"
        selection = replace(selection.also(f"hash >= ? AND {upper}", low, high), is_narrowed=True)
    return selection


def _with_key(selection: Selection, container: Container, header: str, ranges: RangeMap) -> Selection:
    definition = container.policies.key
    key = definition.of_header(header)
    effective = definition.effective(key)
    if len(key) < len(definition.paths):
        narrowed = selection.also("hash >= ? AND hash < ?", effective, effective + LAST)
    else:
        narrowed = selection.also("hash = ? AND key = ?", effective, key_text(key))
    return replace(narrowed, range_id=str(ranges.of(effective).number), is_narrowed=True)
