"""The journal's file: tables, and how a message is numbered across queues."""

import sqlite3
from pathlib import Path

FILE_NAME = "servicebus.db"
VERSION = 1
SEQUENCE_BITS = 40

_TABLES = """
CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_sequence_number INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE message (
    key INTEGER PRIMARY KEY,
    content BLOB NOT NULL,
    enqueued_at REAL NOT NULL,
    original_sequence_number INTEGER
);
CREATE TABLE progress (
    key INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL,
    is_locked INTEGER NOT NULL,
    scheduled_at REAL
);
CREATE TABLE session (
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    state BLOB NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (queue, id)
) WITHOUT ROWID;
CREATE TABLE seen (
    queue INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    until REAL NOT NULL,
    sequence_number INTEGER NOT NULL,
    PRIMARY KEY (queue, message_id)
) WITHOUT ROWID;
"""


def open_file(folder: Path, synchronous: str) -> sqlite3.Connection:
    """Opens the journal of a folder, which is created when it is missing. One process at a time may have it.

    Args:
        folder: Where the file lies.
        synchronous: SQLite's setting: "normal" survives a crash of the process, "full" also one of the machine.

    Raises:
        ValueError: Another process has it, it is damaged, or another version wrote it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE_NAME
    connection = sqlite3.connect(file, isolation_level=None, timeout=0)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        connection.close()
        raise ValueError(f"The journal {file} cannot be used: {error}. Is another process using it?") from error
    if version not in (0, VERSION):
        connection.close()
        raise ValueError(f"The journal {file} has version {version}; this service reads version {VERSION}.")
    return connection


def message_key(queue: int, sequence_number: int) -> int:
    """Row number of a message: rows of one queue lie together, in order."""
    return queue << SEQUENCE_BITS | sequence_number
