"""Laws of the query language, for any query and any text."""

import contextlib
import sqlite3
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.parser import parse
from local.cosmos.sql.pipeline import compile_query
from local.cosmos.sql.printer import print_query
from local.cosmos.sql.pushdown import prefilter
from local.cosmos.sql.scope import Budget
from local.cosmos.sql.values import UNDEFINED, canonical, same, sort_key

KEYWORDS = "SELECT VALUE DISTINCT TOP FROM WHERE AND OR NOT IN BETWEEN LIKE JOIN ORDER BY GROUP OFFSET LIMIT DESC AS"
SIGNS = "( ) [ ] { } , . : ? ?? || = != < >= + - * / % & | ^ << ~"
VALUES = "c x c.a c.b 1 0 2.5 'a' \"b\" @p true null undefined EXISTS ARRAY COUNT UPPER IIF udf *"
OPERATORS = "= != <> < > <= >= + - * / % || & | ^ << >> >>> AND OR ??"
WORDS = f"{KEYWORDS} {SIGNS} {VALUES}".split()

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
maybe_undefined = values | st.just(UNDEFINED)

literals = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0, 1e6).map(repr),
    st.text(max_size=6).map(lambda text: orjson.dumps(text).decode()),
    st.sampled_from(["true", "FALSE", "null", "undefined", "@p", "c", "c.a", "c.a.b", "c['x y']", "c.list[0]", "-3"]),
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(OPERATORS.split())
    return st.one_of(
        st.tuples(inner, binary, inner).map(" ".join),
        inner.map("({})".format),
        inner.map("NOT {}".format),
        inner.map("- {}".format),
        st.tuples(inner, inner).map("{0[0]} IN ({0[1]}, 1)".format),
        st.tuples(inner, inner, inner).map("({0[0]}) NOT BETWEEN ({0[1]}) AND ({0[2]})".format),
        st.tuples(inner, inner).map("({0[0]}) LIKE ({0[1]}) ESCAPE '!'".format),
        st.tuples(inner, inner, inner).map("({0[0]}) ? ({0[1]}) : ({0[2]})".format),
        st.tuples(inner, inner).map("[{0[0]}, {0[1]}]".format),
        inner.map("{{a: {0}, 'b c': 1}}".format),
        inner.map("({}).k[0]".format),
        inner.map("IIF({}, 1, 2)".format),
        inner.map("EXISTS(SELECT VALUE t FROM t IN c.list WHERE {})".format),
        inner.map("ARRAY(SELECT DISTINCT VALUE {} FROM t IN c.list)".format),
    )


expressions = st.recursive(literals, _compound, max_leaves=8)
queries = st.tuples(
    st.sampled_from(["*", "c.a, 1, c.b AS x", "VALUE {0}", "DISTINCT VALUE {0}", "TOP 5 c.a", "{0} AS y"]),
    expressions,
    expressions,
    st.sampled_from(["", " ORDER BY c.a DESC, c.b", " OFFSET 1 LIMIT @p", " GROUP BY c.a"]),
).map(lambda parts: f"SELECT {parts[0].format(f'({parts[1]})')} FROM c WHERE {parts[2]}{parts[3]}")


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except QueryError:
        return None


@given(queries)
@settings(max_examples=150, deadline=None)
def test_a_printed_query_parses_to_the_same_tree(text: str) -> None:
    tree = _parsed(text)
    if tree is not None:
        assert parse(print_query(tree)) == tree


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_random_text_is_answered_or_refused_but_never_crashes(text: str) -> None:
    with contextlib.suppress(QueryError):
        pipeline = compile_query(parse(text))
        environment = pipeline.environment({"@p": 1}, Budget(10_000, 2))
        assert isinstance(pipeline.rows(environment, [((0, 0), {"a": 1, "list": [1, "x"]})]), list)


@given(queries, values)
@settings(max_examples=200, deadline=None)
def test_a_valid_query_over_any_item_gives_json(text: str, item: Any) -> None:
    with contextlib.suppress(QueryError):
        pipeline = compile_query(parse(text))
        rows = pipeline.rows(pipeline.environment({"@p": 2}), [(0, item)])
        assert isinstance(orjson.loads(orjson.dumps([row.value for row in rows])), list)


@given(st.lists(maybe_undefined, min_size=3, max_size=3))
def test_the_order_is_total(triple: list[Any]) -> None:
    a, b, c = map(sort_key, triple)
    assert (a < b) + (a == b) + (a > b) == 1
    assert not (a <= b <= c) or a <= c


@given(values, values)
def test_values_order_as_equal_exactly_when_they_are_the_same(left: Any, right: Any) -> None:
    assert (sort_key(left) == sort_key(right)) == same(left, right)
    assert (canonical(left) == canonical(right)) == same(left, right)


conditions = st.tuples(
    st.sampled_from(["c.a", "c.b", "c.a.x"]),
    st.sampled_from(["=", "<", ">", "<=", ">="]),
    st.integers(-3, 3).map(str) | st.sampled_from(["'x'", "'1'", "1.0", "0.5", "@p", "null", "true"]),
).map(" ".join)
small = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([1.0, 0.5, "x", "1", "", "x\0y"]))
small_items = st.fixed_dictionaries({}, optional={"a": small | st.fixed_dictionaries({"x": small}), "b": small})


def _joined(parts: tuple[str, str, str]) -> str:
    return f"({parts[0]}) {parts[1]} ({parts[2]})"


wheres = st.recursive(
    conditions | small.map(lambda value: f"c.a IN ({orjson.dumps(value).decode()}, 1)"),
    lambda inner: st.tuples(inner, st.sampled_from(["AND", "OR", "AND NOT"]), inner).map(
        "({0[0]}) {0[1]} ({0[2]})".format
    ),
    max_leaves=4,
)


@given(wheres, st.lists(small_items, max_size=6), small)
@settings(max_examples=300, deadline=None)
def test_a_prefilter_never_drops_an_item_that_the_query_keeps(where: str, items: list[Any], parameter: Any) -> None:
    query = parse(f"SELECT VALUE c FROM c WHERE {where}")
    pipeline = compile_query(query)
    environment = pipeline.environment({"@p": parameter})
    checked_first = prefilter(query, {"@p": parameter})
    if checked_first is None:
        return
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for item in items:
            sql = f"SELECT {checked_first.sql} FROM (SELECT ? AS body)"
            [passes] = connection.execute(sql, (*checked_first.arguments, orjson.dumps(item))).fetchone()
            assert passes or not pipeline.matches(environment, item)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT VALUE " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT VALUE " + "-" * 5000 + "c.a FROM c",
        "SELECT VALUE " + "NOT " * 5000 + "c.a FROM c",
        "SELECT VALUE " + "[" * 5000,
        "SELECT VALUE " + "1+" * 5000 + "1",
        "SELECT VALUE c" + ".a" * 5000 + " FROM c",
        "SELECT VALUE " + "UPPER(" * 5000,
        "SELECT VALUE " + "(SELECT VALUE " * 500 + "1",
        "SELECT VALUE 1" + "0" * 5000,
        "SELECT VALUE 1e999999",
        "SELECT * FROM c WHERE c.a = '" + "x" * 300_000 + "'",
    ],
)
def test_huge_queries_are_refused_in_words(text: str) -> None:
    with pytest.raises(QueryError):
        compile_query(parse(text))


def test_a_chain_of_many_alternatives_is_fine() -> None:
    text = "SELECT VALUE 1 FROM c WHERE " + " OR ".join(f"c.a = {n}" for n in range(2000))
    pipeline = compile_query(parse(text))
    assert pipeline.matches(pipeline.environment({}), {"a": 1999})
