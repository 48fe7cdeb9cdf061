"""GROUP BY and aggregates: groups rows, then computes one row per group."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local.cosmos.sql.aggregates import AGGREGATE_TYPES, Aggregate
from local.cosmos.sql.compile import Compiler, Evaluate
from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.scope import Environment
from local.cosmos.sql.syntax import Call, Expression, Query
from local.cosmos.sql.trees import aggregates_in
from local.cosmos.sql.values import canonical


@dataclass(slots=True)
class _Group:
    keys: list[Any]
    aggregates: list[Aggregate]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How one query groups.

    Attributes:
        keys: Computes each GROUP BY key, and the slot it goes to.
        aggregates: Makes each aggregate, computes its input, and the slot its result goes to.
        always: Whether there is a row even without any input: aggregates without GROUP BY.
    """

    keys: list[tuple[Evaluate, int]]
    aggregates: list[tuple[Callable[[], Aggregate], Evaluate, int]]
    always: bool

    def groups(self, env: Environment, scopes: Iterator[None]) -> Iterator[None]:
        """Takes all scopes, then yields once per group with keys and results in their slots."""
        groups: dict[bytes, _Group] = {}
        for _ in scopes:
            keys = [key(env) for key, _ in self.keys]
            identity = b"\x00".join(map(canonical, keys))
            group = groups.get(identity)
            if group is None:
                group = groups[identity] = self._group(keys)
            for aggregate, (_, argument, _) in zip(group.aggregates, self.aggregates, strict=True):
                aggregate.add(argument(env))
        if self.always and not groups:
            groups[b""] = self._group([])
        for group in groups.values():
            for value, (_, slot) in zip(group.keys, self.keys, strict=True):
                env[slot] = value
            for aggregate, (_, _, slot) in zip(group.aggregates, self.aggregates, strict=True):
                env[slot] = aggregate.result()
            yield None

    def _group(self, keys: list[Any]) -> _Group:
        return _Group(keys, [make() for make, _, _ in self.aggregates])


def compile_grouping(compiler: Compiler, query: Query) -> tuple[Grouping, dict[Expression, int]] | None:
    """The grouping of a query and the slots that stand for its keys and aggregates; None when it does not group.

    Raises:
        QueryError: An aggregate does not have exactly one argument.
    """
    calls = [call for item in query.items for call in aggregates_in(item)]
    if not calls and not query.group_by:
        return None
    layout = compiler.scope.layout
    replaced: dict[Expression, int] = {}
    keys: list[tuple[Evaluate, int]] = []
    for key in query.group_by:
        slot = replaced.setdefault(key, layout.slot())
        keys.append((compiler.expression(key), slot))
    aggregates: list[tuple[Callable[[], Aggregate], Evaluate, int]] = []
    for call in calls:
        if call not in replaced:
            slot = replaced[call] = layout.slot()
            aggregates.append((AGGREGATE_TYPES[call.name], _argument(compiler, call), slot))
    return Grouping(keys, aggregates, always=not query.group_by), replaced


def _argument(compiler: Compiler, call: Call) -> Evaluate:
    if len(call.arguments) != 1:
        raise QueryError(f"The aggregate {call.written} takes 1 argument.", start=call.start)
    if aggregates_in(call.arguments[0]):
        raise QueryError("An aggregate cannot stand inside another.", start=call.start)
    return compiler.expression(call.arguments[0])
