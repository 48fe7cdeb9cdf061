"""Which parts of a filter SQLite can check first, on the stored JSON.

Each condition is written so that it holds at least for the rows for which the query's own condition is true, and they
are put together so that the same goes for the whole. The query's whole filter still runs on what is left.
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
_ARGUMENTS_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Prefilter:
    """One SQL condition on the column `body`."""

    sql: str
    arguments: tuple[Any, ...]


def prefilter(query: Query, parameters: dict[str, Any]) -> Prefilter | None:
    """What can be checked of a query's filter on the stored JSON; None when nothing can."""
    if query.where is None or not query.sources:
        return None
    first = query.sources[0]
    if not isinstance(first.collection, Name) or first.iterated:
        return None
    found = _prefilter(query.where, first.alias, parameters)
    return found if found is not None and len(found.arguments) <= _ARGUMENTS_LIMIT else None


def _prefilter(node: Expression, alias: str, parameters: dict[str, Any]) -> Prefilter | None:
    match node:
        case Logical(operator, operands):
            return _logical(operator, [_prefilter(operand, alias, parameters) for operand in operands])
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


def _logical(operator: str, parts: list[Prefilter | None]) -> Prefilter | None:
    """AND keeps what can be checked of its operands; OR can be checked only when all of them can."""
    known = [part for part in parts if part is not None]
    if not known or (operator == "OR" and len(known) < len(parts)):
        return None
    sql = f" {operator} ".join(part.sql for part in known)
    return Prefilter(f"({sql})", tuple(argument for part in known for argument in part.arguments))


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
