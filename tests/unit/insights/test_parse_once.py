"""Values of a bag that are read together are the same as read one by one."""

import json
import random
from typing import Any

import duckdb
import duckdb_kql
import pytest

from local.insights.kql.parse_once import parse_once

COLUMNS = {"t": ["name", "bag", "more"]}
VALUES: tuple[Any, ...] = (
    "text", "", " 1.5 ", "1.5", "true", "it's", 'a "quote"', "ü\u0000", 0, -1.25, 1e300, True, False, None, [1, 2],
    {"x": "y"},
)  # fmt: skip
QUERIES = (
    't | project a = tostring(bag["x.y"]), b = todouble(bag["x.y"]), c = tostring(bag.plain), d = bag["with space"]',
    't | extend a = tostring(bag["x.y"]), b = todouble(bag["plain"]) | where a != "" | project name, a, b, bag',
    't | summarize n = count(), s = sum(todouble(bag["plain"])) by a = tostring(bag["x.y"]), b = tostring(more["x.y"])',
    't | extend m = bag | where isnotnull(todouble(m["plain"])) | project todouble(m["plain"]), toint(m["x.y"])',
    't | extend deep = tostring(bag.x.y), other = tostring(bag["plain"]) | project name, deep, other',
    't | project both = strcat(tostring(bag["plain"]), "json_extract(\\"bag\\", \'$.plain\')", tostring(bag["x.y"]))',
    't | where tostring(bag["plain"]) == "text" or tostring(more["plain"]) == "text" | project name',
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """A table of bags with everything that JSON can hold, missing keys and missing bags."""
    draw = random.Random(5)
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE t (name VARCHAR, bag JSON, more JSON)")
    keys = ("x.y", "plain", "with space", "x")
    for number in range(400):
        bags = [{key: draw.choice(VALUES) for key in keys if draw.random() < 0.8} for _ in range(2)]
        texts = [None if draw.random() < 0.1 else json.dumps(bag) for bag in bags]
        connection.execute("INSERT INTO t VALUES (?, ?, ?)", [str(number), *texts])
    return connection


@pytest.mark.parametrize("query", QUERIES)
def test_the_rows_are_the_same(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    translated = duckdb_kql.to_sql(query, schema=COLUMNS, allow_write=False)
    values = dict(translated.parameters) or None

    plain = connection.execute(str(translated), values).fetchall()
    together = connection.execute(parse_once(str(translated)), values).fetchall()

    assert sorted(map(repr, together)) == sorted(map(repr, plain))
    assert len(plain) > 10


def test_two_values_of_one_bag_are_one_list_and_a_single_one_is_left_alone() -> None:
    two = parse_once(
        """WITH _s0 AS (SELECT json_extract("bag", '$.a') AS a, json_extract("bag", '$."b.c"') AS b FROM t)"""
    )
    one = """WITH _s0 AS (SELECT json_extract("bag", '$.a') AS a, json_extract("more", '$.a') AS b FROM t)"""

    assert two.count("""json_extract("bag", ['$.a', '$."b.c"'])""") == 2
    assert parse_once(one) == one


def test_a_path_that_stands_for_many_values_is_left_alone() -> None:
    sql = """WITH _s0 AS (SELECT json_extract("bag", '$.*') AS a, json_extract("bag", '$[*]') AS b FROM t)"""

    assert parse_once(sql) == sql
