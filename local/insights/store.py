"""The DuckDB store: tables, inserts, retention. One process owns the file; one thread writes, many cursors read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]  # pyarrow ships no type information

from local.insights.envelopes import Row
from local.insights.schema import BY_CLASSIC_NAME, CATALOG, TABLES, Kind, Table, ddl

_ARROW_TYPES: Final[dict[Kind, pa.DataType]] = {
    "string": pa.string(),
    "datetime": pa.timestamp("us"),
    "real": pa.float64(),
    "int": pa.int32(),
    "bool": pa.bool_(),
    "dynamic": pa.string(),
}


def _arrow_schema(table: Table) -> pa.Schema:
    return pa.schema([(column.name, _ARROW_TYPES[column.kind]) for column in table.columns[:-1]])


_ARROW_SCHEMAS: Final = {table.classic: _arrow_schema(table) for table in TABLES}


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: rows younger than `hours`, and at most `max_rows` of them in each table."""

    hours: float
    max_rows: int


class RefusedRowsError(ValueError):
    """A row holds a value that its column cannot; nothing of the batch was stored."""


class Store:
    """Telemetry tables in a DuckDB file, or in memory when no folder is given."""

    def __init__(self, folder: Path | None, *, memory_mb: int) -> None:
        """Opens or creates the store.

        Args:
            folder: Where the file goes; None keeps everything in memory.
            memory_mb: What DuckDB may use before it spills to disk or refuses a query.

        Raises:
            ValueError: The folder is in use by another process or cannot be written; the message says so.
        """
        target = ":memory:"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            target = str(folder / f"{CATALOG}.duckdb")
        self._writer = duckdb.connect(":memory:", config=_config(folder, memory_mb))
        try:
            self._writer.execute("ATTACH '{}' AS {}".format(target.replace("'", "''"), CATALOG))
        except duckdb.IOException as error:
            self._writer.close()
            raise ValueError(f"Cannot open {target}: {str(error).splitlines()[0]}") from error
        self._writer.execute(f"USE {CATALOG}")
        for statement in ddl():
            self._writer.execute(statement)
        for setting in ("TimeZone = 'UTC'", "enable_external_access = false", "lock_configuration = true"):
            self._writer.execute(f"SET GLOBAL {setting}")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one query; close it to drop its temporary tables."""
        cursor = self._writer.cursor()
        cursor.execute(f"USE {CATALOG}")
        return cursor

    def insert(self, rows: dict[str, list[Row]]) -> None:
        """Writes rows of several tables in one durable transaction. Only the writing thread may call this.

        Raises:
            RefusedRowsError: A value does not fit its column.
        """
        connection = self._writer
        connection.execute("BEGIN")
        try:
            for table, values in rows.items():
                schema = _ARROW_SCHEMAS[table]
                columns = [
                    pa.array(column, field.type)
                    for column, field in zip(zip(*values, strict=True), schema, strict=True)
                ]
                connection.register("incoming", pa.Table.from_arrays(columns, schema=schema))
                connection.execute(f'INSERT INTO "{table}" SELECT *, CAST(uuid() AS VARCHAR) FROM incoming')
                connection.unregister("incoming")
            connection.execute("COMMIT")
        except (duckdb.DataError, pa.ArrowException, OverflowError) as error:
            connection.execute("ROLLBACK")
            raise RefusedRowsError(f"the store cannot hold a value: {str(error).splitlines()[0]}") from error
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def expire(self, retention: Retention, now: datetime) -> int:
        """Removes what retention no longer keeps; returns the number of rows removed."""
        oldest = now.astimezone(UTC).replace(tzinfo=None) - timedelta(hours=retention.hours)
        removed = 0
        for table, count in self.row_counts().items():
            removed += self._delete(f'DELETE FROM "{table}" WHERE "timestamp" < ?', [oldest])
            if count > retention.max_rows:
                newest = f'SELECT rowid FROM "{table}" ORDER BY "timestamp" DESC LIMIT {retention.max_rows}'
                removed += self._delete(f'DELETE FROM "{table}" WHERE rowid NOT IN ({newest})', [])
        if removed:
            self._writer.execute("CHECKPOINT")
        return removed

    def _delete(self, sql: str, parameters: list[datetime]) -> int:
        (count,) = self._writer.execute(sql, parameters).fetchone() or (0,)
        return int(count)

    def row_counts(self) -> dict[str, int]:
        """Rows now in each classic table."""
        cursor = self.cursor()
        try:
            parts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in BY_CLASSIC_NAME)
            return {str(name): int(count) for name, count in cursor.execute(parts).fetchall()}
        finally:
            cursor.close()

    def close(self) -> None:
        """Writes everything to the file and lets go of it."""
        self._writer.close()


def _config(folder: Path | None, memory_mb: int) -> dict[str, str | bool | int | float | list[str]]:
    spill = {"temp_directory": ""} if folder is None else {"temp_directory": str(folder / "spill")}
    return {
        "memory_limit": f"{memory_mb}MB",
        "max_temp_directory_size": "4GB",
        "wal_autocheckpoint": "64MB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        **spill,
    }
