"""Query results in the shape of the query API, page by page so that no step holds the interpreter for long."""

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import duckdb
import orjson

from local.insights.errors import QueryLimitError
from local.insights.kql.translation import sql_errors

_PAGE_ROWS = 2_000
_BYTES_MAX: Final = 64 * 1024 * 1024
_KINDS: Final = {
    "VARCHAR": "string", "TIMESTAMP": "datetime", "TIMESTAMP_NS": "datetime", "TIMESTAMP WITH TIME ZONE": "datetime",
    "DATE": "datetime", "DOUBLE": "real", "FLOAT": "real", "TINYINT": "int", "SMALLINT": "int", "INTEGER": "int",
    "UINTEGER": "long", "BIGINT": "long", "UBIGINT": "long", "HUGEINT": "long", "BOOLEAN": "bool", "JSON": "dynamic",
    "INTERVAL": "timespan", "UUID": "guid", "NULL": "string", "BLOB": "string", '"NULL"': "string",
}  # fmt: skip


def kind_of(duckdb_type: str) -> str:
    """The KQL type of a DuckDB type."""
    if duckdb_type.startswith("DECIMAL"):
        return "decimal"
    return _KINDS.get(duckdb_type, "dynamic")


def render(result: duckdb.DuckDBPyConnection, rows_max: int) -> tuple[bytes, str | None]:
    """The `tables` array as JSON, and why it is not the whole result (None when it is).

    Raises:
        QueryLimitError: A number does not fit the API's types.
    """
    columns = [(str(name), kind_of(str(kind))) for name, kind, *_ in result.description or ()]
    writers = [_WRITERS[kind] for _, kind in columns]
    parts: list[bytes] = []
    size, count, partial = 0, 0, None
    for page in _pages(result):
        kept = page[: rows_max - count]
        rendered = _page(kept, writers)
        size += len(rendered)
        if size > _BYTES_MAX:
            partial = f"the result is larger than {_BYTES_MAX} bytes and was cut"
            break
        if kept:
            parts.append(rendered)
        count += len(kept)
        if len(kept) < len(page):
            partial = f"the result has more than {rows_max} rows and was cut"
            break
    described = [{"name": name, "type": kind} for name, kind in columns]
    head = b'[{"name":"PrimaryResult","columns":' + orjson.dumps(described) + b',"rows":['
    return head + b",".join(parts) + b"]}]", partial


def _pages(result: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    while True:
        with sql_errors():
            page: list[tuple[Any, ...]] = result.fetchmany(_PAGE_ROWS)
        if not page:
            return
        yield page


def _page(rows: list[tuple[Any, ...]], writers: list[Callable[[Any], Any]]) -> bytes:
    values = [[write(value) for write, value in zip(writers, row, strict=True)] for row in rows]
    try:
        return orjson.dumps(values)[1:-1]
    except TypeError as error:
        raise QueryLimitError(f"a value does not fit the answer: {error}") from error


def _string(value: Any) -> str:
    return "" if value is None else str(value)


def _datetime(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day) if isinstance(value, date) else value  # noqa: DTZ001 - KQL days are UTC and have no zone
    text: str = value.replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def _timespan(value: timedelta | None) -> str | None:
    if value is None:
        return None
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{value.days}." if value.days else ""
    fraction = f".{value.microseconds:06d}0" if value.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"


def _real(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _dynamic(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return orjson.dumps(value, default=_inner).decode()
    if value.startswith('"'):
        return str(orjson.loads(value))
    return None if value == "null" else value


def _inner(value: Any) -> Any:
    if isinstance(value, timedelta):
        return _timespan(value)
    return str(value)


def _same(value: Any) -> Any:
    return value


_WRITERS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _string, "datetime": _datetime, "timespan": _timespan, "real": _real, "dynamic": _dynamic,
    "int": _same, "long": _same, "bool": _same,
    "decimal": lambda value: None if value is None else str(value),
    "guid": lambda value: None if value is None else str(value),
}  # fmt: skip
