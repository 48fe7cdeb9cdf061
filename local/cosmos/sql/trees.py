"""Going over syntax trees: what is below a node, what it holds, a changed copy."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from local.cosmos.sql.syntax import Call, Node, Subquery

AGGREGATES: Final = frozenset({"COUNT", "COUNTIF", "SUM", "AVG", "MIN", "MAX"})


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in order."""
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))


def walk(node: Node, *, into_subqueries: bool = True) -> Iterator[Node]:
    """A node and everything below it, without recursion."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        if into_subqueries or not isinstance(current, Subquery):
            pending.extend(children(current))


def aggregates_in(node: Node) -> list[Call]:
    """The aggregate calls of a query or expression itself, not those of its sub-queries, in order of writing."""
    found = [part for part in walk(node, into_subqueries=False) if isinstance(part, Call) and part.name in AGGREGATES]
    return sorted(found, key=lambda call: call.start)


def depth(node: Node) -> int:
    """How many levels the tree has, measured without recursion."""
    deepest, pending = 0, [(node, 1)]
    while pending:
        current, level = pending.pop()
        deepest = max(deepest, level)
        pending.extend((child, level + 1) for child in children(current))
    return deepest
