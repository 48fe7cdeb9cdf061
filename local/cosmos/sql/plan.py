"""Query plans: what a client must do itself to run a query over several physical partitions.

The service hands a client the query rewritten for one partition at a time, and says how to merge what comes back.
A query that needs something the client did not say it can do is refused, as the service refuses it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from local.cosmos.sql.calls import VECTOR_DISTANCE, measure_of
from local.cosmos.sql.compile import Path
from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.functions.vectors import most_similar_is_largest
from local.cosmos.sql.printer import print_expression, print_query
from local.cosmos.sql.syntax import (
    ArrayLiteral,
    Call,
    Constant,
    Entry,
    Expression,
    Item,
    Logical,
    Member,
    Name,
    ObjectLiteral,
    Order,
    Parameter,
    Placeholder,
    Query,
    constant,
)
from local.cosmos.sql.trees import aggregates_in

FILTER_PLACEHOLDER: Final = "{documentdb-formattableorderbyquery-filter}"
_AGGREGATES: Final = {
    "COUNT": "Count",
    "COUNTIF": "CountIf",
    "SUM": "Sum",
    "AVG": "Average",
    "MIN": "Min",
    "MAX": "Max",
}
_FULL_RANGE: Final = {"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}


ALL_FEATURES: Final = (
    "Aggregate,CountIf,Distinct,GroupBy,MultipleAggregates,MultipleOrderBy,NonStreamingOrderBy,NonValueAggregate,"
    "OffsetAndLimit,OrderBy,Top"
)


def needs_plan(query: Query) -> bool:
    """Whether a query over several partitions needs more than putting their results one after the other."""
    window = query.top is not None or query.limit is not None
    return bool(query.group_by or query.order_by or query.distinct or window or _aggregates(query))


def make_plan(
    query: Query, supported: str, parameters: Mapping[str, Any], measures: Mapping[Path, str]
) -> dict[str, Any]:
    """The plan of a query.

    Args:
        query: The query as the client sent it.
        supported: The features the client says it has, with commas between.
        parameters: The query's parameters; TOP, OFFSET and LIMIT may be among them.
        measures: Distance function by path, for the direction of ORDER BY VectorDistance.

    Raises:
        QueryError: The query needs a feature the client does not have.
    """
    names = [name.strip() for name in supported.split(",")]
    missing = [feature for feature in _features(query) if feature not in names]
    if missing:
        listed = ", ".join(missing)
        raise QueryError(f"The query contains features which the calling client does not support: {listed}.", "SC3000")
    top, offset, limit = (_number(node, parameters) for node in (query.top, query.offset, query.limit))
    is_vector = any(_is_vector(order) for order in query.order_by)
    info: dict[str, Any] = {
        "distinctType": _distinct_type(query),
        "top": top,
        "offset": offset,
        "limit": limit,
        "orderBy": [_direction(order, measures) for order in query.order_by],
        "orderByExpressions": [print_expression(order.value) for order in query.order_by],
        "groupByExpressions": [print_expression(key) for key in query.group_by],
        "groupByAliases": [],
        "aggregates": [],
        "groupByAliasToAggregateType": {},
        "rewrittenQuery": "",
        "hasSelectValue": query.value,
        "hasNonStreamingOrderBy": is_vector,
    }
    per_partition = top if top is not None else None if limit is None else limit + (offset or 0)
    info |= _rewrite(query, per_partition)
    return {"partitionedQueryExecutionInfoVersion": 2, "queryInfo": info, "queryRanges": [_FULL_RANGE]}


def _features(query: Query) -> list[str]:
    aggregates = _aggregates(query)
    needed = {
        "Distinct": query.distinct,
        "Top": query.top is not None,
        "OffsetAndLimit": query.limit is not None,
        "OrderBy": len(query.order_by) == 1,
        "MultipleOrderBy": len(query.order_by) > 1,
        "NonStreamingOrderBy": any(_is_vector(order) for order in query.order_by),
        "GroupBy": bool(query.group_by),
        "Aggregate": bool(aggregates),
        "MultipleAggregates": len(aggregates) > 1,
        "NonValueAggregate": bool(aggregates) and not query.value and not query.group_by,
        "CountIf": any(call.name == "COUNTIF" for call in aggregates),
    }
    return [feature for feature, is_needed in needed.items() if is_needed]


def _rewrite(query: Query, per_partition: int | None) -> dict[str, Any]:
    windowless = replace(query, offset=None, limit=None)
    if query.group_by or (_aggregates(query) and not query.value):
        return _by_groups(replace(windowless, top=None))
    if _aggregates(query):
        return _aggregate(replace(windowless, top=None))
    top = None if per_partition is None or query.distinct else constant(per_partition)
    if query.order_by:
        return {"rewrittenQuery": _ordered(replace(windowless, top=top))}
    return {"rewrittenQuery": print_query(replace(windowless, top=top)) if per_partition is not None else ""}


def _ordered(query: Query) -> str:
    alias = _root(query)
    keys = ArrayLiteral(tuple(_item(order.value) for order in query.order_by))
    filled_in_by_client = Placeholder(FILTER_PLACEHOLDER)
    where = filled_in_by_client if query.where is None else Logical("AND", (query.where, filled_in_by_client))
    items = (
        Item(Member(alias, "_rid"), "_rid"),
        Item(keys, "orderByItems"),
        Item(_payload(query), "payload"),
    )
    rewritten = replace(query, items=items, value=False, distinct=False, where=where)
    return print_query(rewritten)


def _payload(query: Query) -> Expression:
    if query.star:
        return Name(query.sources[0].alias)
    if query.value:
        return query.items[0].value
    return ObjectLiteral(tuple(Entry(item.name, item.value) for item in query.items))


def _aggregate(query: Query) -> dict[str, Any]:
    calls = _aggregates(query)
    value = query.items[0].value
    if len(calls) != 1 or value != calls[0]:
        raise QueryError("Over several partitions, SELECT VALUE takes one aggregate and nothing around it.")
    rewritten = replace(query, items=(Item(ArrayLiteral((_partial(calls[0]),)), ""),))
    return {"aggregates": [_AGGREGATES[calls[0].name]], "rewrittenQuery": print_query(rewritten)}


def _by_groups(query: Query) -> dict[str, Any]:
    types: dict[str, str | None] = {}
    entries: list[Entry] = []
    for item in query.items:
        calls = aggregates_in(item.value)
        if calls and item.value != calls[0]:
            raise QueryError("Over several partitions, an aggregate in the SELECT list takes nothing around it.")
        types[item.name] = _AGGREGATES[calls[0].name] if calls else None
        entries.append(Entry(item.name, _partial(calls[0]) if calls else item.value))
    payload = entries[0].value if query.value else ObjectLiteral(tuple(entries))
    items: tuple[Item, ...] = (Item(payload, "payload"),)
    if query.group_by:
        items = (Item(ArrayLiteral(tuple(map(_item, query.group_by))), "groupByItems"), *items)
    return {
        "aggregates": [kind for kind in types.values() if kind] if query.value else [],
        "groupByAliases": [] if query.value else list(types),
        "groupByAliasToAggregateType": {} if query.value else types,
        "rewrittenQuery": print_query(replace(query, items=items, value=False)),
    }


def _partial(call: Call) -> ObjectLiteral:
    argument = call.arguments
    if call.name == "AVG":
        parts = (Entry("sum", Call("SUM", argument, "SUM")), Entry("count", Call("COUNT", argument, "COUNT")))
        return _item(ObjectLiteral(parts))
    if call.name in {"MIN", "MAX"}:
        # Older clients read the bare value, newer ones the one that knows whether there was any.
        parts = (Entry(call.name.lower(), call), Entry("count", Call("COUNT", argument, "COUNT")))
        return ObjectLiteral((Entry("item", call), Entry("item2", ObjectLiteral(parts))))
    return _item(call)


def _item(value: Expression) -> ObjectLiteral:
    return ObjectLiteral((Entry("item", value),))


def _aggregates(query: Query) -> list[Call]:
    return [call for item in query.items for call in aggregates_in(item)]


def _distinct_type(query: Query) -> str:
    if not query.distinct:
        return "None"
    selected = [item.value for item in query.items]
    return "Ordered" if query.order_by and [order.value for order in query.order_by] == selected else "Unordered"


def _direction(order: Order, measures: Mapping[Path, str]) -> str:
    descending = order.descending
    if isinstance(order.value, Call) and order.value.name == VECTOR_DISTANCE:
        descending = most_similar_is_largest(measure_of(order.value, measures))
    return "Descending" if descending else "Ascending"


def _is_vector(order: Order) -> bool:
    return isinstance(order.value, Call) and order.value.name == VECTOR_DISTANCE


def _root(query: Query) -> Name:
    return Name(query.sources[0].alias)


def _number(node: Expression | None, parameters: Mapping[str, Any]) -> int | None:
    if node is None:
        return None
    value = node.value if isinstance(node, Constant) else None
    if isinstance(node, Parameter):
        value = parameters.get(node.name)
    if type(value) is not int or value < 0:
        raise QueryError("TOP, OFFSET and LIMIT take a whole number from 0 on.")
    return value
