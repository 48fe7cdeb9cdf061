"""Trees back to text. Every operation stands in parentheses, so the text parses to the same tree."""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from local.cosmos.sql.syntax import (
    ArrayLiteral,
    Between,
    Binary,
    Call,
    Conditional,
    Constant,
    Expression,
    In,
    Index,
    Like,
    Logical,
    Member,
    Name,
    ObjectLiteral,
    Parameter,
    Placeholder,
    Query,
    Source,
    Subquery,
    Unary,
)
from local.cosmos.sql.tokens import KEYWORDS

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CLOSED: Final = (Name, Member, Index, Parameter, Call, ArrayLiteral, ObjectLiteral, Subquery)
_FORMS: Final = {"scalar": "", "exists": "EXISTS", "array": "ARRAY"}


def print_query(query: Query) -> str:
    """A query as text on one line."""
    parts = ["SELECT"]
    if query.distinct:
        parts.append("DISTINCT")
    if query.top is not None:
        parts.append(f"TOP {print_expression(query.top)}")
    parts.append(_selection(query))
    if query.sources:
        parts.append("FROM " + " JOIN ".join(_source(source) for source in query.sources))
    if query.where is not None:
        parts.append(f"WHERE {print_expression(query.where)}")
    if query.group_by:
        parts.append("GROUP BY " + ", ".join(map(print_expression, query.group_by)))
    if query.order_by:
        words = {None: "", True: " DESC", False: " ASC"}
        keys = (print_expression(order.value) + words[order.descending] for order in query.order_by)
        parts.append("ORDER BY " + ", ".join(keys))
    if query.offset is not None and query.limit is not None:
        parts.append(f"OFFSET {print_expression(query.offset)} LIMIT {print_expression(query.limit)}")
    return " ".join(parts)


def _selection(query: Query) -> str:
    if query.star:
        return "*"
    if query.value:
        return f"VALUE {print_expression(query.items[0].value)}"
    # A made-up name such as $1 cannot be written after AS; the parser makes it up again.
    return ", ".join(
        print_expression(item.value) + (f" AS {item.name}" if _writable(item.name) else "") for item in query.items
    )


def _writable(name: str) -> bool:
    return name.isidentifier() and name.upper() not in KEYWORDS


def _source(source: Source) -> str:
    collection = source.collection
    if isinstance(collection, Subquery):
        return f"({print_query(collection.query)}) AS {source.alias}"
    text = print_expression(collection)
    if source.iterated:
        return f"{source.alias} IN {text}"
    return text if text == source.alias or not _writable(source.alias) else f"{text} AS {source.alias}"


def print_expression(node: Expression) -> str:
    """An expression as text."""
    return _PRINTERS[type(node)](node)


def _member(node: Member) -> str:
    key = f".{node.key}" if _PLAIN_KEY.match(node.key) else f"[{_string(node.key)}]"
    return _target(node.target) + key


def _object(node: ObjectLiteral) -> str:
    return "{" + ", ".join(f"{_string(entry.key)}: {print_expression(entry.value)}" for entry in node.entries) + "}"


def _logical(node: Logical) -> str:
    return "(" + f" {node.operator} ".join(map(print_expression, node.operands)) + ")"


def _in(node: In) -> str:
    return f"({print_expression(node.value)} {_not(node)}IN ({_list(node.items)}))"


def _between(node: Between) -> str:
    bounds = f"{print_expression(node.low)} AND {print_expression(node.high)}"
    return f"({print_expression(node.value)} {_not(node)}BETWEEN {bounds})"


def _like(node: Like) -> str:
    tail = "" if node.escape is None else f" ESCAPE {_string(node.escape)}"
    return f"({print_expression(node.value)} {_not(node)}LIKE {print_expression(node.pattern)}{tail})"


def _conditional(node: Conditional) -> str:
    branches = f"{print_expression(node.then)} : {print_expression(node.otherwise)}"
    return f"({print_expression(node.test)} ? {branches})"


def _target(node: Expression) -> str:
    """Text that can stand before a dot or a bracket."""
    text = print_expression(node)
    return text if isinstance(node, _CLOSED) or text.startswith("(") else f"({text})"


def _constant(node: Constant) -> str:
    if node.kind == "undefined":
        return "undefined"
    return _string(node.value) if node.kind == "str" else orjson.dumps(node.value).decode()


def _string(text: str) -> str:
    return orjson.dumps(text).decode()


def _list(items: tuple[Expression, ...]) -> str:
    return ", ".join(map(print_expression, items))


def _not(node: In | Between | Like) -> str:
    return "NOT " if node.negated else ""


_PRINTERS: Final[dict[type[Expression], Callable[[Any], str]]] = {
    Constant: _constant,
    Parameter: lambda node: node.name,
    Name: lambda node: node.name,
    Placeholder: lambda node: f"({node.text})",
    Member: _member,
    Index: lambda node: f"{_target(node.target)}[{print_expression(node.index)}]",
    Call: lambda node: f"{node.written}({_list(node.arguments)})",
    ArrayLiteral: lambda node: f"[{_list(node.items)}]",
    ObjectLiteral: _object,
    Subquery: lambda node: f"{_FORMS[node.form]}({print_query(node.query)})",
    Unary: lambda node: f"({node.operator} {print_expression(node.operand)})",
    Binary: lambda node: f"({print_expression(node.left)} {node.operator} {print_expression(node.right)})",
    Logical: _logical,
    In: _in,
    Between: _between,
    Like: _like,
    Conditional: _conditional,
}
