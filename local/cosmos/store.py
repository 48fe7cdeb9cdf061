"""The SQLite file under everything: schema, connections, the sequence of changes."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS resources (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    parent INTEGER NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (kind, parent, name)
);
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY,
    container INTEGER NOT NULL,
    key TEXT NOT NULL,
    id TEXT NOT NULL,
    hash TEXT NOT NULL,
    change INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    expires REAL,
    etag TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (container, key, id)
);
CREATE INDEX IF NOT EXISTS items_in_hash_order ON items (container, hash, number);
CREATE INDEX IF NOT EXISTS items_in_change_order ON items (container, change);
CREATE INDEX IF NOT EXISTS items_that_expire ON items (expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS unique_values (
    container INTEGER NOT NULL,
    key TEXT NOT NULL,
    constraint_number INTEGER NOT NULL,
    value BLOB NOT NULL,
    item INTEGER NOT NULL,
    PRIMARY KEY (container, key, constraint_number, value)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_values_of_items ON unique_values (item);
CREATE TRIGGER IF NOT EXISTS item_deleted AFTER DELETE ON items BEGIN
    DELETE FROM unique_values WHERE item = OLD.number;
END;
CREATE TABLE IF NOT EXISTS dropped (container INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS sequence (reserved INTEGER NOT NULL);
"""
_BLOCK: Final = 10_000
_VERSION: Final = 1


class Store:
    """One writing connection, used from the event loop only, and one reading connection per other thread.

    Args:
        file: Where the data is.
        durable: Whether it outlives the process; without that, the disk is never waited for.

    Raises:
        ValueError: The file cannot be used.
    """

    def __init__(self, file: Path, *, durable: bool) -> None:
        self._file = file
        try:
            self.connection = self._connect(read_only=False)
            self._prepare(durable=durable)
        except sqlite3.DatabaseError as error:
            raise ValueError(f"Cannot use {file}: {error}.") from error
        self._readers = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        row = self.connection.execute("SELECT reserved FROM sequence").fetchone()
        if row is None:
            self.connection.execute("INSERT INTO sequence VALUES (0)")
        self.last_change: int = row[0] if row else 0
        self._reserved = self.last_change

    def _prepare(self, *, durable: bool) -> None:
        version: int = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, _VERSION}:
            raise ValueError(f"{self._file} was written by another version of this server; move it away.")
        synchronous = "NORMAL" if durable else "OFF"
        self.connection.executescript(
            f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA user_version = {_VERSION};{_SCHEMA}"
        )

    def next_change(self) -> int:
        """A number larger than any before, also before a crash: blocks are reserved on disk, then handed out."""
        if self.last_change >= self._reserved:
            reserved = self.last_change + _BLOCK
            self.connection.execute("UPDATE sequence SET reserved = ?", (reserved,))
            # Only now: a block that a full disk did not take would be handed out again after a crash.
            self._reserved = reserved
        self.last_change += 1
        return self.last_change

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undoes every write inside when an exception leaves the block. Nests."""
        self.connection.execute("SAVEPOINT step")
        try:
            yield
            self.connection.execute("RELEASE step")
        except BaseException:
            # A disk that is full may have undone everything by itself, savepoints included.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK TO step")
                self.connection.execute("RELEASE step")
            raise

    def reader(self) -> sqlite3.Connection:
        """This thread's own read-only connection."""
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = self._connect(read_only=True)
            self._open_readers.append(connection)
        return connection

    def resources(self, kind: str) -> list[tuple[int, int, bytes]]:
        """Number, parent and body of all resources of a kind."""
        rows: list[tuple[int, int, bytes]] = self.connection.execute(
            "SELECT number, parent, body FROM resources WHERE kind = ? ORDER BY number", (kind,)
        ).fetchall()
        return rows

    def insert_resource(self, kind: str, parent: int, name: str) -> int:
        """Makes room for a resource and returns its number."""
        cursor = self.connection.execute(
            "INSERT INTO resources (kind, parent, name, body) VALUES (?, ?, ?, '')", (kind, parent, name)
        )
        return int(cursor.lastrowid or 0)

    def save_resource(self, number: int, body: dict[str, Any]) -> None:
        """Writes a resource."""
        self.connection.execute("UPDATE resources SET body = ? WHERE number = ?", (orjson.dumps(body), number))

    def close(self) -> None:
        """Closes every connection."""
        for connection in (*self._open_readers, self.connection):
            connection.close()

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        mode = "ro" if read_only else "rwc"
        connection = sqlite3.connect(
            f"{self._file.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            cached_statements=512,
            check_same_thread=False,
        )
        # Readers scan, and what is read twice the operating system has at hand; a laptop has other uses for memory.
        connection.execute(f"PRAGMA cache_size = {-2048 if read_only else -8192}")
        connection.execute("PRAGMA busy_timeout = 5000")
        return connection
