"""Whole queries compiled: sources, filter, grouping, projection, order and window."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.cosmos.sql.calls import VECTOR_DISTANCE, compile_call, measure_of
from local.cosmos.sql.compile import Compiler, Evaluate, Path
from local.cosmos.sql.errors import QueryError, QueryTooExpensive
from local.cosmos.sql.functions.vectors import most_similar_is_largest
from local.cosmos.sql.grouping import Grouping, compile_grouping
from local.cosmos.sql.scope import BUDGET, ROOT, Budget, Environment, Layout, Scope
from local.cosmos.sql.syntax import Call, Index, Member, Name, Order, Query, Source, Subquery
from local.cosmos.sql.values import UNDEFINED, canonical, is_number, sort_key

_ROWS_LIMIT: Final = 1_000_000
_COUNT_LIMIT: Final = 2**31 - 1


@dataclass(slots=True)
class Row:
    """One result with what it is ordered by and the place of the item it came from."""

    value: Any
    keys: tuple[Any, ...]
    place: Any


@dataclass(frozen=True, slots=True)
class _Input:
    slot: int
    collection: Evaluate
    iterated: bool


@dataclass(frozen=True, slots=True)
class _Key:
    value: Evaluate
    descending: bool
    required: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A compiled query; runs over any number of items and holds no state between runs."""

    layout: Layout
    inputs: list[_Input]
    where: Evaluate | None
    grouping: Grouping | None
    project: Evaluate
    order: list[_Key]
    distinct: bool
    top: Evaluate | None
    offset: Evaluate | None
    limit: Evaluate | None

    @property
    def streams(self) -> bool:
        """Whether results come out item by item, without looking at the other items."""
        window = self.top is not None or self.limit is not None
        return not (self.grouping or self.order or self.distinct or window)

    def environment(self, parameters: dict[str, Any], budget: Budget | None = None) -> Environment:
        """Slots for one run."""
        return self.layout.environment(parameters, budget or Budget())

    def matches(self, env: Environment, item: Any) -> bool:
        """Whether an item passes FROM and WHERE."""
        env[ROOT] = item
        return next((True for _ in self._scopes(env)), False)

    def values(self, env: Environment, item: Any = UNDEFINED) -> Iterator[Any]:
        """The results for one item of a query that streams."""
        env[ROOT] = item
        for _ in self._scopes(env):
            value = self.project(env)
            if value is not UNDEFINED:
                yield value

    def rows(self, env: Environment, items: Iterable[tuple[Any, Any]]) -> list[Row]:
        """All results over items given with their places, distinct, in order and cut to the window."""
        rows = self._distinct(self._rows(env, items)) if self.distinct else list(self._rows(env, items))
        for place in reversed(range(len(self.order))):
            rows.sort(key=lambda row: sort_key(row.keys[place]), reverse=self.order[place].descending)
        start = _count(self.offset, env) or 0
        length = _count(self.limit, env) if self.top is None else _count(self.top, env)
        return rows[start:] if length is None else rows[start : start + length]

    def subquery_rows(self, env: Environment) -> Iterator[Any]:
        """The results of a sub-query in the scope of the query around it."""
        return iter(self.rows(env, ((None, env[ROOT]),)))

    def _rows(self, env: Environment, items: Iterable[tuple[Any, Any]]) -> Iterator[Row]:
        place: Any = None

        def scopes() -> Iterator[None]:
            nonlocal place
            for current, item in items:
                place, env[ROOT] = current, item
                yield from self._scopes(env)

        produced = 0
        for _ in self.grouping.groups(env, scopes()) if self.grouping else scopes():
            value = self.project(env)
            keys = tuple(key.value(env) for key in self.order)
            missing = any(key.required and not is_number(of) for key, of in zip(self.order, keys, strict=True))
            if value is UNDEFINED or missing:
                continue
            produced += 1
            if produced > _ROWS_LIMIT:
                raise QueryTooExpensive(f"The query has more than {_ROWS_LIMIT} results before its window is cut.")
            yield Row(value, keys, place)

    def _distinct(self, rows: Iterable[Row]) -> list[Row]:
        seen: dict[bytes, Row] = {}
        for row in rows:
            seen.setdefault(canonical(row.value), row)
        return list(seen.values())

    def _scopes(self, env: Environment) -> Iterator[None]:
        spend, where = env[BUDGET].spend, self.where
        if not self.inputs:
            spend()
            if where is None or where(env) is True:
                yield None
            return
        for _ in self._bind(env, 0):
            spend()
            if where is None or where(env) is True:
                yield None

    def _bind(self, env: Environment, depth: int) -> Iterator[None]:
        if depth == len(self.inputs):
            yield None
            return
        source = self.inputs[depth]
        value = source.collection(env)
        if source.iterated:
            for item in value if type(value) is list else ():
                env[source.slot] = item
                yield from self._bind(env, depth + 1)
        elif value is not UNDEFINED:
            env[source.slot] = value
            yield from self._bind(env, depth + 1)


def _count(evaluate: Evaluate | None, env: Environment) -> int | None:
    if evaluate is None:
        return None
    value = evaluate(env)
    if not is_number(value) or value != int(value) or not 0 <= value <= _COUNT_LIMIT:
        raise QueryError("TOP, OFFSET and LIMIT take a whole number from 0 to 2147483647.")
    return int(value)


def compile_query(query: Query, measures: Mapping[Path, str] | None = None) -> Pipeline:
    """Compiles a query over a container's items.

    Args:
        query: What the parser made.
        measures: Distance function by path, from the container's vector policy.

    Raises:
        QueryError: It names what does not exist.
    """
    return _compile(query, Scope(Layout()), measures or {})


def _compile(query: Query, scope: Scope, measures: Mapping[Path, str]) -> Pipeline:
    compiler = Compiler(scope, measures, compile_call, _compile_subquery)
    inputs = [bound for source in query.sources if (bound := _source(compiler, source)) is not None]
    where = None if query.where is None else compiler.expression(query.where)
    grouped = compile_grouping(compiler, query)
    selecting = compiler if grouped is None else compiler.for_groups(grouped[1])
    project = _projection(selecting, query)
    order = [_key(compiler, key) for key in query.order_by]
    window = (None if node is None else compiler.expression(node) for node in (query.top, query.offset, query.limit))
    grouping = None if grouped is None else grouped[0]
    return Pipeline(scope.layout, inputs, where, grouping, project, order, query.distinct, *window)


def _source(compiler: Compiler, source: Source) -> _Input | None:
    scope = compiler.scope
    if source.root:
        if isinstance(source.collection, Name) and not source.iterated:
            scope.define(source.alias, ROOT)
            return None
        return _root_path(compiler, source)
    collection = compiler.expression(source.collection)
    slot = scope.layout.slot()
    scope.define(source.alias, slot)
    return _Input(slot, collection, source.iterated)


def _root_path(compiler: Compiler, source: Source) -> _Input:
    root = source.collection
    while isinstance(root, Member | Index):
        root = root.target
    if not isinstance(root, Name):
        raise QueryError("The first source of FROM must be the container or a path in it.")
    inner = Scope(compiler.scope.layout, None, {root.name: ROOT})
    collection = Compiler(inner, compiler.measures, compile_call, _compile_subquery).expression(source.collection)
    slot = compiler.scope.layout.slot()
    compiler.scope.define(source.alias, slot)
    return _Input(slot, collection, source.iterated)


def _projection(compiler: Compiler, query: Query) -> Evaluate:
    if query.star:
        return compiler.expression(Name(query.sources[0].alias))
    if query.value:
        return compiler.expression(query.items[0].value)
    return compiler.members([(item.name, item.value) for item in query.items])


def _key(compiler: Compiler, order: Order) -> _Key:
    value = compiler.expression(order.value)
    if isinstance(order.value, Call) and order.value.name == VECTOR_DISTANCE:
        return _Key(value, most_similar_is_largest(measure_of(order.value, compiler.measures)), required=True)
    return _Key(value, descending=order.descending or False, required=False)


def _compile_subquery(compiler: Compiler, node: Subquery) -> Evaluate:
    inner = _compile(node.query, Scope(compiler.scope.layout, compiler.scope), compiler.measures)
    if node.form == "exists":
        return lambda env: any(True for _ in inner.subquery_rows(env))
    if node.form == "array":
        return lambda env: [row.value for row in inner.subquery_rows(env)]
    return lambda env: next((row.value for row in inner.subquery_rows(env)), UNDEFINED)
