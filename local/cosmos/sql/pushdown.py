"""Which parts of a filter SQLite can check first, on the stored JSON.

Only conditions that every row of the result meets are handed down, and each is written so that it holds at least for
the rows for which the query's own condition is true. The query's whole filter still runs on what is left.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from local.cosmos.sql.calls import path_of
from local.cosmos.sql.syntax import Binary, Constant, Expression, In, Logical, Name, Parameter, Query
from local.cosmos.sql.values import EXACT_INTEGERS, is_number

_MIRRORED: Final = {"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ITEMS_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Prefilter:
    """One SQL condition on the column `body`."""

    sql: str
    arguments: tuple[Any, ...]


def prefilters(query: Query, parameters: dict[str, Any]) -> list[Prefilter]:
    """The conditions of a query that can be checked on the stored JSON."""
    if query.where is None or not query.sources:
        return []
    first = query.sources[0]
    if not isinstance(first.collection, Name) or first.iterated:
        return []
    where = query.where
    conjuncts = where.operands if isinstance(where, Logical) and where.operator == "AND" else (where,)
    found = (_prefilter(part, first.alias, parameters) for part in conjuncts)
    return [prefilter for prefilter in found if prefilter is not None]


def _prefilter(node: Expression, alias: str, parameters: dict[str, Any]) -> Prefilter | None:
    match node:
        case In(value, items, False) if len(items) <= _ITEMS_LIMIT:
            column, values = _column(value, alias), [_value(item, parameters) for item in items]
            if column is None or not all(_is_comparable("=", value) for value in values):
                return None
            return Prefilter(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))
        case Binary(operator, left, right) if operator in _MIRRORED:
            column, value = _column(left, alias), _value(right, parameters)
            if column is None:
                column, value, operator = _column(right, alias), _value(left, parameters), _MIRRORED[operator]
            if column is not None and _is_comparable(operator, value):
                return Prefilter(f"{column} {operator} ?", (value,))
    return None


def _column(node: Expression, alias: str) -> str | None:
    path = path_of(node)
    if path is None or path[0] != alias or len(path) < 2 or not all(map(_PLAIN_NAME.match, path[1:])):
        return None
    names = "".join(f'."{name}"' for name in path[1:])
    return f"json_extract(CAST(body AS TEXT), '${names}')"


def _value(node: Expression, parameters: dict[str, Any]) -> Any:
    if isinstance(node, Constant):
        return node.value
    return parameters.get(node.name) if isinstance(node, Parameter) else None


def _is_comparable(operator: str, value: Any) -> bool:
    if isinstance(value, str):
        return operator == "=" and "\0" not in value
    return is_number(value) and abs(value) <= EXACT_INTEGERS
