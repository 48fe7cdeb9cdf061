"""KQL text to DuckDB SQL through duckdb-kql, with translations kept, and its refusals in this service's words."""

import contextlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import duckdb
import duckdb_kql

from local.insights.errors import (
    NotCoveredError,
    QueryLimitError,
    QuerySyntaxError,
    QueryTimeoutError,
    SemanticError,
)
from local.insights.kql.parse_once import parse_once
from local.insights.kql.syntax import Node

_LOG = logging.getLogger(__name__)
_TRANSLATIONS_MAX = 1_000
_TREES_MAX = 200
_CLOCK: Final = datetime(1999, 12, 31, 23, 59, 59, 654_321, tzinfo=UTC)
"""Stands for the query's clock in a kept translation; the real moment is bound when it runs."""
_INTERNAL_TABLE: Final = re.compile(r'FROM "((?:duckdb|pragma|sqlite|pg|information)_\w+)"')
_MISSING_TABLE: Final = re.compile(r"Table with name (.+?) does not exist")
_MISSING_COLUMN: Final = re.compile(r'Referenced column "(.+?)" not found')
_EXPECTED: Final = re.compile(r" expecting \{.{200,}\}", re.DOTALL)
_NEAR: Final = re.compile(r"near ('.*')", re.DOTALL)
_WORDS: Final = re.compile(r"[A-Z][a-z]*")

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Translation:
    """SQL with its bound values.

    Attributes:
        sql: One SELECT statement.
        values: Values by placeholder, without the clock.
        clock: The placeholder of the clock; None when the query does not read it.
    """

    sql: str
    values: Mapping[str, Any]
    clock: str | None

    def bound(self, now: datetime) -> dict[str, Any] | None:
        """The values to run with at a moment (UTC)."""
        values = dict(self.values)
        if self.clock is not None:
            values[self.clock] = now.astimezone(UTC).replace(tzinfo=None)
        return values or None


class Translator:
    """Parses and translates; the same text is worked on once. Safe to use from several threads."""

    def __init__(self) -> None:
        """Starts with nothing kept."""
        self._lock = threading.Lock()
        self._trees: OrderedDict[str, Node] = OrderedDict()
        self._translations: OrderedDict[tuple[str, tuple[Any, ...]], Translation] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def parse(self, text: str) -> Node:
        """The syntax tree.

        Raises:
            QuerySyntaxError: The text does not parse.
        """
        return self._kept(self._trees, text, text, _TREES_MAX, lambda: duckdb_kql.parse(text).tree)

    def translate(
        self, text: str, tables: Mapping[str, list[str]], stages: tuple[tuple[str, tuple[str, ...]], ...]
    ) -> Translation:
        """The SQL for a query.

        Args:
            text: The query.
            tables: Columns of the telemetry tables, the same for every call.
            stages: Name and columns of the temporary tables the query may read.

        Raises:
            QuerySyntaxError: The text does not parse.
            NotCoveredError: It uses something that is not covered.
            SemanticError: It names something that does not exist.
        """
        known = {**tables, **{name: list(columns) for name, columns in stages}}
        return self._kept(self._translations, (text, stages), text, _TRANSLATIONS_MAX, lambda: _translate(text, known))

    def _kept(self, cache: OrderedDict[Any, Kept], key: Any, text: str, size: int, make: Callable[[], Kept]) -> Kept:
        with self._lock:
            if key in cache:
                self.hits += 1
                cache.move_to_end(key)
                return cache[key]
            self.misses += 1
            with kql_errors(text):
                value = make()
            cache[key] = value
            if len(cache) > size:
                cache.popitem(last=False)
            return value


def _translate(text: str, known: dict[str, list[str]]) -> Translation:
    result = duckdb_kql.to_sql(text, schema=known, query_now=_CLOCK, allow_write=False)
    if result.unbound:
        raise SemanticError(f"no value for the query parameters {', '.join(result.unbound)}")
    internal = _INTERNAL_TABLE.search(result)
    if internal:
        raise SemanticError(f"'{internal[1]}' is not a table")
    pinned = _CLOCK.replace(tzinfo=None)
    clock = next((name for name, value in result.parameters.items() if value == pinned), None)
    values = {name: value for name, value in result.parameters.items() if name != clock}
    return Translation(parse_once(str(result)), values, clock)


@contextlib.contextmanager
def kql_errors(text: str) -> Iterator[None]:
    """Says the translator's refusals of a text in this service's errors."""
    try:
        yield
    except duckdb_kql.KqlSyntaxError as error:
        near = _excerpt(text, error)
        hint = ". A column named like a keyword is written ['name']" if "mismatched" in str(error) else ""
        raise QuerySyntaxError(_EXPECTED.sub("", str(error)) + near + hint) from error
    except duckdb_kql.KqlUnsupportedError as error:
        raise NotCoveredError(_not_covered(error)) from error
    except duckdb_kql.KqlSchemaError as error:
        known = error.hint is None or not error.hint.startswith("unknown table")
        raise SemanticError(str(error) if known else f"'{error.name}' is not a table") from error
    except duckdb_kql.KqlError as error:
        raise SemanticError(str(error)) from error
    except RecursionError as error:
        raise QuerySyntaxError("the query is nested too deeply") from error
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        _LOG.warning("action=translation_failed", exc_info=True)
        raise NotCoveredError(f"the query could not be translated ({type(error).__name__}: {error})") from error


def _excerpt(text: str, error: duckdb_kql.KqlSyntaxError) -> str:
    lines = text.splitlines()
    place = error.diagnostics[0].span if error.diagnostics else None
    if place is None or not 0 < place.line <= len(lines):
        return ""
    return f", near {lines[place.line - 1][place.column : place.column + 40]!r}"


def _not_covered(error: duckdb_kql.KqlUnsupportedError) -> str:
    kind, _, name = error.construct.partition(":")
    near = _NEAR.search(error.hint or "")
    if name:
        return f"the {kind} {name} is not covered"
    if "Operator" in kind and near:
        return f"the operator {_operator(kind)} is not covered, near {near[1]}"
    return f"{kind} is not covered ({error.hint})" if error.hint else f"{kind} is not covered"


def _operator(rule: str) -> str:
    words = _WORDS.findall(rule.split("Operator", maxsplit=1)[0])
    return "-".join(words).lower().replace("mvapply", "mv-apply").replace("mvexpand", "mv-expand")


@contextlib.contextmanager
def sql_errors() -> Iterator[None]:
    """Says DuckDB's refusals in this service's errors."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryTimeoutError("the query ran into the time limit; narrow the time range") from error
    except duckdb.OutOfMemoryException as error:
        raise QueryLimitError("the query needs more memory than the service may use") from error
    except duckdb.Error as error:
        raise SemanticError(_plain(str(error))) from error


def _plain(message: str) -> str:
    table, column = _MISSING_TABLE.search(message), _MISSING_COLUMN.search(message)
    if table:
        return f"'{table[1]}' is not a table"
    if column:
        return f"'{column[1]}' is not a column here"
    first = message.split("\n\n", maxsplit=1)[0].splitlines()[0]
    return first.partition("Error: ")[2] or first
