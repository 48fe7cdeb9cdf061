"""What queries mean: undefined, types, order, functions."""

import itertools
from typing import Any

import pytest

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.values import UNDEFINED
from tests.unit.cosmos.queries import run, value_of

TRUTHS = {"true": True, "false": False, "undefined": UNDEFINED}


def _and(left: Any, right: Any) -> Any:
    if left is False or right is False:
        return False
    return True if left is True and right is True else UNDEFINED


def _not(value: Any) -> Any:
    return value if value is UNDEFINED else not value


@pytest.mark.parametrize(("left", "right"), list(itertools.product(TRUTHS, repeat=2)))
def test_logic_has_three_values(left: str, right: str) -> None:
    a, b = TRUTHS[left], TRUTHS[right]
    assert value_of(f"{left} AND {right}") is _and(a, b)
    assert value_of(f"{left} OR {right}") is _not(_and(_not(a), _not(b)))
    assert value_of(f"NOT {left}") is _not(a)


def test_values_of_different_types_are_neither_equal_nor_different() -> None:
    items = [{"id": "number", "x": 1}, {"id": "null", "x": None}, {"id": "missing"}, {"id": "true", "x": True}]
    assert run("SELECT VALUE c.id FROM c WHERE c.x != null", items) == []
    assert run("SELECT VALUE c.id FROM c WHERE c.x = null", items) == ["null"]
    assert run("SELECT VALUE c.id FROM c WHERE c.x = 1", items) == ["number"]
    assert run("SELECT VALUE c.id FROM c WHERE NOT (c.x = 1)", items) == []


def test_order_over_types_is_undefined_null_boolean_number_string_array_object() -> None:
    values = [
        {},
        {"x": None},
        {"x": False},
        {"x": True},
        {"x": -1},
        {"x": 2.5},
        {"x": ""},
        {"x": "b"},
        {"x": []},
        {"x": {}},
    ]
    assert run("SELECT VALUE c FROM c ORDER BY c.x", list(reversed(values))) == values
    assert run("SELECT VALUE c FROM c ORDER BY c.x DESC", values) == list(reversed(values))


def test_undefined_members_vanish() -> None:
    assert run("SELECT c.a, c.b FROM c", [{"a": 1}]) == [{"a": 1}]
    assert run("SELECT VALUE [c.a, c.b] FROM c", [{"a": 1}]) == [[1]]
    assert run("SELECT VALUE c.b FROM c", [{"a": 1}]) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 % 4", 3),
        ("-7 % 4", -3),
        ("1 / 2", 0.5),
        ("4 / 2", 2),
        ("1 / 0", UNDEFINED),
        ("'a' + 1", UNDEFINED),
        ("true + 1", UNDEFINED),
        ("6 & 3", 2),
        ("6 | 1", 7),
        ("6 ^ 3", 5),
        ("1 << 4", 16),
        ("-8 >> 1", -4),
        ("~5", -6),
        ("0x1F", 31),
        ("'a' || 'b'", "ab"),
        ("'a' || 'b' = 'ab'", True),
        ("c.none ?? 'x'", "x"),
        ("c.null ?? 'x'", None),
        ("c.n = 1 ? 'one' : 'other'", "one"),
        ("c.none ? 'yes' : 'no'", "no"),
        ("c.n IN (3, 2, 1)", True),
        ("c.n NOT IN (3, 2)", True),
        ("c.n IN ('1', 2)", UNDEFINED),
        ("c.n BETWEEN 1 AND 2", True),
        ("c.n NOT BETWEEN 1 AND 2", False),
        ("c.s LIKE 'he%o'", True),
        ("c.s LIKE 'h_llo'", True),
        ("c.s LIKE 'h[a-f]llo'", True),
        ("c.s LIKE 'h[^a-f]llo'", False),
        ("'50%' LIKE '50!%' ESCAPE '!'", True),
        ("'500' LIKE '50!%' ESCAPE '!'", False),
        ("c.s NOT LIKE 'x%'", True),
        ("c['s']", "hello"),
        ("c.list[1]", 2),
        ("c.list[5]", UNDEFINED),
        ("c.list[@place]", 1),
        ("@missing", UNDEFINED),
        ("{'a': 1, b: c.none}", {"a": 1}),
        ('"\\u00e9\\n\\"" ', 'é\n"'),
        ("NOT c.n = 2", True),
        ("c.n = 1 AND NOT c.s = 'x' OR false", True),
    ],
)
def test_operators(expression: str, expected: Any) -> None:
    item = {"n": 1, "s": "hello", "null": None, "list": [1, 2, 3]}
    assert value_of(expression, item, place=0) == expected
    assert type(value_of(expression, item, place=0)) is type(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("UPPER('aé')", "AÉ"),
        ("length('héllo')", 5),
        ("TRIM('  a ')", "a"),
        ("CONCAT('a', 'b', 'c')", "abc"),
        ("CONCAT('a', 1)", UNDEFINED),
        ("SUBSTRING('hello', 1, 3)", "ell"),
        ("LEFT('hello', 2)", "he"),
        ("RIGHT('hello', 2)", "lo"),
        ("REPLACE('aXbX', 'X', '-')", "a-b-"),
        ("REPLICATE('ab', 3)", "ababab"),
        ("REPLICATE('ab', 100000)", UNDEFINED),
        ("REVERSE('abc')", "cba"),
        ("INDEX_OF('hello', 'l')", 2),
        ("INDEX_OF('hello', 'z')", -1),
        ("CONTAINS('Hello', 'ELL', true)", True),
        ("CONTAINS('Hello', 'ELL')", False),
        ("STARTSWITH('hello', 'he')", True),
        ("ENDSWITH('hello', 'LO', true)", True),
        ("STRINGEQUALS('a', 'A', true)", True),
        ("RegexMatch('order-123', '^order-\\\\d+$')", True),
        ("RegexMatch('ORDER', 'order', 'i')", True),
        ("StringSplit('a,b', ',')", ["a", "b"]),
        ("StringJoin(['a', 'b'], '-')", "a-b"),
        ("ToString(1)", "1"),
        ("ToString([1, 'a'])", '[1,"a"]'),
        ("StringToNumber('1.5')", 1.5),
        ("StringToNumber('x')", UNDEFINED),
        ("StringToArray('[1]')", [1]),
        ("StringToBoolean(' true ')", True),
        ("ABS(-2)", 2),
        ("ROUND(2.5)", 3),
        ("ROUND(-2.5)", -3),
        ("ROUND(2.567, 2)", 2.57),
        ("FLOOR(2.7)", 2),
        ("CEILING(2.1)", 3),
        ("POWER(2, 10)", 1024),
        ("POWER(10, 1000)", UNDEFINED),
        ("SQRT(-1)", UNDEFINED),
        ("SIGN(-3)", -1),
        ("TRUNC(-2.7)", -2),
        ("LOG(0)", UNDEFINED),
        ("IntAdd(9223372036854775000, 1)", 9223372036854775001),
        ("IntDiv(-7, 2)", -3),
        ("IntMod(-7, 2)", -1),
        ("NumberBin(37, 10)", 30),
        ("IS_DEFINED(c.x)", False),
        ("IS_NULL(null)", True),
        ("IS_NUMBER(true)", False),
        ("IS_BOOL(false)", True),
        ("IS_INTEGER(2.0)", True),
        ("IS_ARRAY([])", True),
        ("IS_OBJECT([])", False),
        ("IS_PRIMITIVE(null)", True),
        ("IS_PRIMITIVE(c.x)", False),
        ("IIF(1 = 1, 'a', 'b')", "a"),
        ("IIF(c.x, 'a', 'b')", "b"),
        ("ARRAY_CONTAINS([1, 2], 2)", True),
        ("ARRAY_CONTAINS([{'a': 1, 'b': 2}], {'a': 1})", False),
        ("ARRAY_CONTAINS([{'a': 1, 'b': 2}], {'a': 1}, true)", True),
        ("ARRAY_CONTAINS([1], true)", False),
        ("ARRAY_CONTAINS_ANY([1, 2], 2, 3)", True),
        ("ARRAY_CONTAINS_ALL([1, 2], 2, 3)", False),
        ("ARRAY_LENGTH([1, 2])", 2),
        ("ARRAY_LENGTH('no')", UNDEFINED),
        ("ARRAY_CONCAT([1], [2], [3])", [1, 2, 3]),
        ("ARRAY_SLICE([1, 2, 3], 1)", [2, 3]),
        ("ARRAY_SLICE([1, 2, 3], -2, 1)", [2]),
        ("SetUnion([1, 2], [2, 3])", [1, 2, 3]),
        ("SetIntersect([1, 2, 2], [2])", [2]),
        ("CHOOSE(2, 'a', 'b')", "b"),
        ("ObjectToArray({'a': 1})", [{"k": "a", "v": 1}]),
        ("ArrayToObject([{'k': 'a', 'v': 1}])", {"a": 1}),
        ("DateTimeAdd('mm', 1, '2024-01-31T10:00:00.1234567Z')", "2024-02-29T10:00:00.1234567Z"),
        ("DateTimeAdd('dd', -1, '2024-03-01')", "2024-02-29T00:00:00.0000000Z"),
        ("DateTimeAdd('yyyy', 1, '2024-02-29T00:00:00Z')", "2025-02-28T00:00:00.0000000Z"),
        ("DateTimeAdd('x', 1, '2024-02-29')", UNDEFINED),
        ("DateTimeDiff('day', '2024-01-01T23:00:00Z', '2024-01-02T01:00:00Z')", 1),
        ("DateTimeDiff('hour', '2024-01-02T00:00:00Z', '2024-01-01T00:00:00Z')", -24),
        ("DateTimePart('ns', '2024-01-01T00:00:00.1234567Z')", 123456700),
        ("DateTimePart('weekday', '2024-01-07T00:00:00Z')", 1),
        ("DateTimeBin('2021-01-08T18:35:00.0000000Z', 'hh', 4)", "2021-01-08T16:00:00.0000000Z"),
        ("DateTimeFromParts(2020, 9, 4)", "2020-09-04T00:00:00.0000000Z"),
        ("DateTimeFromParts(2020, 13, 4)", UNDEFINED),
        ("DateTimeToTicks('1970-01-01T00:00:00.0000001Z')", 1),
        ("TicksToDateTime(15973607943002652)", "2020-08-13T23:19:54.3002652Z"),
        ("DateTimeToTimestamp('2020-07-09T23:20:13.4575530Z')", 1594336813457),
        ("TimestampToDateTime(1594227912345)", "2020-07-08T17:05:12.3450000Z"),
        ("VectorDistance([1, 0], [0, 1])", 0.0),
        ("VectorDistance([1, 2], [3, 4], true, {'distanceFunction': 'DotProduct'})", 11),
        ("VectorDistance([0, 0], [3, 4], false, {'distanceFunction': 'euclidean'})", 5.0),
        ("VectorDistance([1, 0], [1])", UNDEFINED),
        ("VectorDistance([1, 0], ['a', 'b'])", UNDEFINED),
    ],
)
def test_functions(expression: str, expected: Any) -> None:
    assert value_of(expression) == expected


def test_current_time_is_one_moment_in_all_its_forms() -> None:
    [both] = run("SELECT VALUE [GetCurrentTimestamp(), DateTimeToTimestamp(GetCurrentDateTime())] FROM c")
    assert abs(both[0] - both[1]) < 1000


def test_aggregates_skip_undefined_and_refuse_other_types() -> None:
    items: list[Any] = [{"n": 1}, {"n": 3}, {}, {"s": "x"}]
    [row] = run("SELECT COUNT(c.n) AS n, SUM(c.n) AS s, AVG(c.n) AS a, MIN(c.n) AS lo, MAX(c.n) AS hi FROM c", items)
    assert row == {"n": 2, "s": 4, "a": 2, "lo": 1, "hi": 3}
    assert run("SELECT VALUE SUM(c.n) FROM c", [{"n": 1}, {"n": "x"}]) == []
    assert run("SELECT VALUE COUNT(1) FROM c", []) == [0]
    assert run("SELECT VALUE AVG(c.n) FROM c", []) == []
    assert run("SELECT VALUE COUNTIF(c.n > 1) FROM c", items) == [1]
    assert run("SELECT VALUE MAX(c.n) FROM c", [{"n": 1}, {"n": "x"}, {"n": None}]) == ["x"]


def test_group_by_keeps_apart_what_equality_keeps_apart() -> None:
    items = [{"k": 1}, {"k": 1.0}, {"k": "1"}, {"k": None}, {}, {"k": True}]
    rows = run("SELECT c.k, COUNT(1) AS n FROM c GROUP BY c.k", items)
    assert sorted(row["n"] for row in rows) == [1, 1, 1, 1, 2]


def test_group_by_lets_only_keys_and_aggregates_through() -> None:
    items = [{"a": "x", "n": 1}, {"a": "y", "n": 2}, {"a": "x", "n": 3}]
    rows = run("SELECT UPPER(c.a) AS a, SUM(c.n) / COUNT(1) AS mean FROM c GROUP BY c.a", items)
    assert rows == [{"a": "X", "mean": 2}, {"a": "Y", "mean": 2}]
    with pytest.raises(QueryError, match="not in GROUP BY"):
        run("SELECT c.n, COUNT(1) AS n2 FROM c GROUP BY c.a", items)


def test_joins_subqueries_exists_and_array() -> None:
    items = [{"id": "a", "tags": ["x", "y"]}, {"id": "b", "tags": ["y"]}, {"id": "c"}]
    assert run("SELECT c.id, t FROM c JOIN t IN c.tags WHERE t = 'y'", items) == [
        {"id": "a", "t": "y"},
        {"id": "b", "t": "y"},
    ]
    assert run("SELECT VALUE c.id FROM c WHERE EXISTS (SELECT VALUE t FROM t IN c.tags WHERE t = 'x')", items) == ["a"]
    assert run("SELECT VALUE ARRAY(SELECT VALUE UPPER(t) FROM t IN c.tags) FROM c", items) == [["X", "Y"], ["Y"], []]
    assert run("SELECT VALUE (SELECT VALUE COUNT(1) FROM t IN c.tags) FROM c", items) == [2, 1, 0]
    assert run("SELECT VALUE t FROM t IN c.tags", items) == ["x", "y", "y"]
    assert run("SELECT VALUE s FROM c JOIN (SELECT VALUE t FROM t IN c.tags WHERE t != 'x') AS s", items) == ["y", "y"]
    assert run("SELECT VALUE r.tags[0] FROM root AS r", items) == ["x", "y"]


def test_distinct_top_offset_and_limit() -> None:
    items = [{"n": n % 3} for n in range(9)]
    assert run("SELECT DISTINCT VALUE c.n FROM c", items) == [0, 1, 2]
    assert run("SELECT DISTINCT VALUE c.n FROM c ORDER BY c.n DESC", items) == [2, 1, 0]
    assert run("SELECT TOP @n VALUE c.n FROM c", items, n=2) == [0, 1]
    assert run("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 2 LIMIT 3", items) == [0, 1, 1]


def test_results_without_a_name_are_numbered() -> None:
    assert run("SELECT 1, c.id, 2, c.id AS other FROM c", [{"id": "a"}]) == [
        {"$1": 1, "id": "a", "$2": 2, "other": "a"}
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT", "Syntax error"),
        ("SELECT * FROM c WHERE", "Syntax error"),
        ("SELECT * FROM c ORDER c.x", "expected BY"),
        ("SELECT * FROM c WHERE c.x = 'open", "invalid token"),
        ("SELECT foo.x FROM c", "Identifier 'foo' could not be resolved"),
        ("SELECT NOPE(c.x) FROM c", "'NOPE' is not a recognized built-in function name"),
        ("SELECT UPPER() FROM c", "takes 1 arguments, not 0"),
        ("SELECT * FROM c JOIN t IN c.tags", "single input set"),
        ("SELECT udf.f(c.x) FROM c", "User-defined functions are not covered"),
        ("SELECT * FROM c WHERE FullTextContains(c.t, 'x')", "full-text search is not covered"),
        ("SELECT * FROM c WHERE ST_DISTANCE(c.a, c.b) < 1", "geospatial search is not covered"),
        ("SELECT TOP 1 * FROM c ORDER BY RANK FullTextScore(c.t, 'x')", "is not covered"),
        ("SELECT c.x FROM c GROUP BY c.x HAVING 1 = 1", "HAVING is not covered"),
        ("SELECT COUNT(1) FROM c ORDER BY c.x", "cannot stand together"),
        ("SELECT TOP 1 * FROM c OFFSET 0 LIMIT 1", "cannot stand together"),
        ("SELECT * FROM c WHERE COUNT(1) > 1", "only valid in the SELECT list"),
        ("SELECT SUM(COUNT(1)) AS x FROM c", "cannot stand inside another"),
        ("SELECT VALUE VectorDistance(c.v, [1], true, {'distanceFunction': 'manhattan'}) FROM c", "must be one of"),
        ("SELECT VALUE COUNT(1) FROM (SELECT DISTINCT c.x FROM c)", "first source"),
        ("SELECT c.a, d.a FROM c JOIN d IN c.d", "more than once"),
        ("SELECT * FROM c WHERE RegexMatch(c.a, '(?=x)')", "look-around"),
    ],
)
def test_what_is_wrong_or_outside_is_named(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        run(text, [{"a": "x"}])
