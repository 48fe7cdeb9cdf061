"""One running query: its connection, its clock, the temporary tables its stages left."""

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from local.insights.errors import QueryTimeoutError
from local.insights.kql.syntax import Node
from local.insights.kql.translation import Translation, Translator, sql_errors


class Session:
    """What a stage may do: ask for columns and values, and leave a table for what follows.

    Attributes:
        serialized: Temporary tables whose row order is part of the result.
        approximations: Functions whose numbers are not those of the real service.
    """

    def __init__(
        self,
        translator: Translator,
        connection: duckdb.DuckDBPyConnection,
        tables: Mapping[str, list[str]],
        now: datetime,
    ) -> None:
        """Binds a query to its connection and its clock (UTC)."""
        self._translator, self._connection, self._tables, self._now = translator, connection, tables, now
        self._stages: dict[str, tuple[str, ...]] = {}
        self.serialized: set[str] = set()
        self.approximations: set[str] = set()
        self.cancelled = False
        self._numbers = itertools.count()

    def fresh(self) -> int:
        """A number no other column of this query has in its name."""
        return next(self._numbers)

    def parse(self, text: str) -> Node:
        """The syntax tree of a query."""
        return self._translator.parse(text)

    def translate(self, text: str) -> Translation:
        """The SQL of a query, which may read the tables left so far."""
        read = tuple((name, columns) for name, columns in self._stages.items() if name in text)
        return self._translator.translate(text, self._tables, read)

    def run(self, text: str) -> duckdb.DuckDBPyConnection:
        """Runs KQL and leaves its result on the connection."""
        translation = self.translate(text)
        return self.execute(translation.sql, translation.bound(self._now))

    def execute(self, sql: str, values: dict[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
        """Runs SQL.

        Raises:
            QueryTimeoutError: The time limit has passed.
        """
        self.check_time()
        with sql_errors():
            return self._connection.execute(sql, values) if values else self._connection.execute(sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query that is known to be small."""
        with sql_errors():
            rows: list[tuple[Any, ...]] = self.execute(sql).fetchall()
            return rows

    def columns(self, text: str) -> list[tuple[str, str]]:
        """Name and DuckDB type of the columns a KQL query would give; it is not run."""
        translation = self.translate(text)
        result = self.execute(f"SELECT * FROM ({translation.sql}) LIMIT 0", translation.bound(self._now))
        return [(str(name), str(kind)) for name, kind, *_ in result.description or ()]

    def scalars(self, lets: str, expressions: Mapping[str, str]) -> dict[str, Any]:
        """Values of KQL expressions that depend on no row."""
        printed = ", ".join(f"{name} = {expression}" for name, expression in expressions.items())
        with sql_errors():
            row = self.run(f"{lets}print {printed}").fetchone()
        return dict(zip(expressions, row or (), strict=True))

    def keep(self, text: str) -> str:
        """Runs KQL into a temporary table, in its row order, and returns the table's name."""
        translation = self.translate(text)
        return self.keep_sql(translation.sql, translation.bound(self._now))

    def keep_sql(self, sql: str, values: dict[str, Any] | None = None) -> str:
        """Runs SQL into a temporary table, in its row order, and returns the table's name."""
        name = f"__stage_{len(self._stages) + 1}"
        self.execute(f'CREATE TEMP TABLE "{name}" AS {sql}', values)
        self._stages[name] = tuple(self.types(name))
        return name

    def types(self, table: str) -> dict[str, str]:
        """DuckDB types by column of a table that `keep` made."""
        described = self.execute(f'SELECT * FROM "{table}" LIMIT 0').description or ()
        return {str(name): str(kind) for name, kind, *_ in described}

    def insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Adds a few rows to a table that `keep_sql` made."""
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            with sql_errors():
                self._connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)

    def check_time(self) -> None:
        """Ends the query when its time is over.

        Raises:
            QueryTimeoutError: It is.
        """
        if self.cancelled:
            raise QueryTimeoutError("the query ran into the time limit; narrow the time range")

    def cancel(self) -> None:
        """Stops the query from another thread."""
        self.cancelled = True
        self._connection.interrupt()
