"""Whole queries: tokens to tree, and the rules that hold before anything is compiled."""

from functools import lru_cache
from typing import Final

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.expressions import ExpressionParser
from local.cosmos.sql.syntax import Expression, Item, Member, Name, Order, Query, Source, Subquery
from local.cosmos.sql.trees import aggregates_in, depth

TEXT_LIMIT: Final = 256 * 1024
DEPTH_LIMIT: Final = 128
_CACHED_TEXT_LIMIT: Final = 4096
_JOIN_LIMIT: Final = 5
_REFUSED_WORDS: Final = {"HAVING": "HAVING", "UNION": "UNION", "RANK": "ORDER BY RANK (full-text and hybrid search)"}


class QueryParser(ExpressionParser):
    """Parses SELECT statements."""

    def whole(self) -> Query:
        """A query with nothing after it."""
        query = self.query(root=True)
        if self.token.kind != "end":
            self._refuse_known_word()
            self.fail("expected the end of the query")
        return query

    def query(self, *, root: bool = False) -> Query:
        """SELECT with all its clauses; `root` when its FROM may name the container."""
        self.expect("SELECT")
        distinct = self.accept("DISTINCT") is not None
        top = self._count() if self.accept("TOP") else None
        value = self.accept("VALUE") is not None
        items = () if self.accept("*") else self._items(single=value)
        if value and not items:
            self.fail("SELECT VALUE needs an expression")
        sources = self._sources(root=root) if self.accept("FROM") else ()
        where = self.expression() if self.accept("WHERE") else None
        group_by = self._group_by()
        order_by = self._order_by()
        offset, limit = self._window()
        query = Query(items, sources, value, distinct, top, where, group_by, order_by, offset, limit)
        _check(query)
        return query

    def condition(self) -> Query:
        """`FROM c WHERE ..`, the filter predicate of a patch."""
        self.expect("FROM")
        sources = self._sources(root=True)
        where = self.expression() if self.accept("WHERE") else None
        if self.token.kind != "end":
            self.fail("a filter predicate is FROM and WHERE only")
        return Query(items=(), sources=sources, where=where)

    def _count(self) -> Expression:
        if self.token.kind not in {"number", "parameter"}:
            self.fail("expected a number or a parameter")
        return self._primary()

    def _items(self, *, single: bool) -> tuple[Item, ...]:
        items: list[Item] = []
        unnamed = 0
        while True:
            value = self.expression()
            name = self._alias() or _implied_name(value)
            if name is None:
                unnamed += 1
                name = f"${unnamed}"
            items.append(Item(value, "" if single else name))
            if single or not self.accept(","):
                break
        names = [item.name for item in items]
        if len(set(names)) < len(names):
            raise QueryError("A name stands more than once in the SELECT list; give each entry its own with AS.")
        return tuple(items)

    def _alias(self) -> str | None:
        if self.accept("AS"):
            return self.expect_name().text
        return self.take().text if self.token.kind == "name" else None

    def _sources(self, *, root: bool) -> tuple[Source, ...]:
        sources = [self._source(root=root)]
        while self.accept("JOIN"):
            sources.append(self._source(root=False))
        if len(sources) > _JOIN_LIMIT + 1:
            raise QueryError(f"A query can have at most {_JOIN_LIMIT} JOINs.")
        return tuple(sources)

    def _source(self, *, root: bool) -> Source:
        if self.token.kind == "name" and self.after_next("IN"):
            alias = self.take().text
            self.expect("IN")
            return Source(self._collection(), alias, iterated=True, root=root)
        collection = self._collection()
        is_subquery = isinstance(collection, Subquery)
        if is_subquery and root:
            raise QueryError("A sub-query as the first source of FROM is not covered by this server.")
        alias_given = self._alias()
        if is_subquery and alias_given is None:
            self.fail("a sub-query in FROM needs an alias")
        alias = alias_given or _implied_name(collection) or ""
        if not alias:
            self.fail("this source needs an alias")
        return Source(collection, alias, iterated=is_subquery, root=root)

    def _collection(self) -> Expression:
        if self.accept("("):
            if not self.at("SELECT"):
                self.fail("expected a sub-query")
            return self._subquery("array")
        name = self.expect_name()
        return self._postfix(Name(name.text, name.start))

    def _group_by(self) -> tuple[Expression, ...]:
        if not self.accept("GROUP"):
            return ()
        self.expect("BY")
        keys = [self.expression()]
        while self.accept(","):
            keys.append(self.expression())
        return tuple(keys)

    def _order_by(self) -> tuple[Order, ...]:
        if not self.accept("ORDER"):
            return ()
        self.expect("BY")
        self._refuse_known_word()
        keys: list[Order] = []
        while True:
            value = self.expression()
            direction = self.accept("ASC", "DESC")
            keys.append(Order(value, None if direction is None else direction.text == "DESC"))
            if not self.accept(","):
                return tuple(keys)

    def _window(self) -> tuple[Expression | None, Expression | None]:
        if not self.accept("OFFSET"):
            return None, None
        offset = self._count()
        self.expect("LIMIT")
        return offset, self._count()

    def _refuse_known_word(self) -> None:
        word = self.token.text.upper()
        if self.token.kind == "name" and word in _REFUSED_WORDS:
            raise QueryError(f"{_REFUSED_WORDS[word]} is not covered by this server.", start=self.token.start)


def _implied_name(value: Expression) -> str | None:
    if isinstance(value, Member):
        return value.key
    return value.name if isinstance(value, Name) else None


def _check(query: Query) -> None:
    if query.star and len(query.sources) != 1:
        raise QueryError("'SELECT *' is only valid with a single input set.")
    if query.top is not None and query.limit is not None:
        raise QueryError("TOP cannot stand together with OFFSET LIMIT.")
    aggregates = any(aggregates_in(item) for item in query.items)
    if query.order_by and (query.group_by or aggregates):
        raise QueryError("ORDER BY cannot stand together with GROUP BY or aggregates.")
    if query.star and query.group_by:
        raise QueryError("'SELECT *' cannot stand together with GROUP BY.")
    clauses = [query.where, *query.group_by, *(order.value for order in query.order_by)]
    if any(clause is not None and aggregates_in(clause) for clause in clauses):
        raise QueryError("An aggregate is only valid in the SELECT list.")


def parse(text: str) -> Query:
    """Parses a query.

    Raises:
        QueryError: The text is no query, or one outside what is covered.
    """
    return _cached_query(text) if len(text) <= _CACHED_TEXT_LIMIT else _parse_query(text)


def parse_condition(text: str) -> Query:
    """Parses the filter predicate of a patch into a SELECT * with that FROM and WHERE.

    Raises:
        QueryError: The text is no `FROM .. WHERE ..`.
    """
    return _cached_condition(text) if len(text) <= _CACHED_TEXT_LIMIT else _parse_condition(text)


def _parse_query(text: str) -> Query:
    return _bounded(text, QueryParser(_short(text)).whole())


def _parse_condition(text: str) -> Query:
    return _bounded(text, QueryParser(_short(text)).condition())


_cached_query = lru_cache(maxsize=512)(_parse_query)
_cached_condition = lru_cache(maxsize=512)(_parse_condition)


def _short(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise QueryError(f"The query is longer than {TEXT_LIMIT} characters.")
    return text


def _bounded(text: str, query: Query) -> Query:
    if len(text) > DEPTH_LIMIT and depth(query) > DEPTH_LIMIT:
        raise QueryError(f"The query's expressions are nested deeper than {DEPTH_LIMIT} levels.")
    return query
