"""Pure parts of the query engine."""

import contextlib
import math
import random
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from local.insights.errors import InvalidRequestError, QueryError, QuerySyntaxError
from local.insights.kql.anomalies import decompose
from local.insights.kql.engine import Engine
from local.insights.kql.limits import check_text
from local.insights.kql.rewrites import KEEP_ORDER, named_serialize
from local.insights.schema import TABLES, ddl, query_schema
from local.insights.timespans import parse_timespan

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_NOON = _NOW.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("T | serialize", 1),
        ("T | serialize | take 1", 1),
        ("T | join (S | serialize) on x | serialize", 2),
        ("T | serialize n = row_number()", 0),
        ('T | where x == "a | serialize | b"', 0),
        ("T | where x == 'it\\'s | serialize'", 0),
        ("T // | serialize\n| count", 0),
        ("T | serialize // in order\n| count", 1),
    ],
)
def test_only_a_bare_serialize_is_completed(text: str, marked: int) -> None:
    assert named_serialize(text).count(KEEP_ORDER) == marked


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("PT1H", _NOON - timedelta(hours=1), _NOON),
        ("P1W", _NOON - timedelta(weeks=1), _NOON),
        ("P1DT2H3M4.5S", _NOON - timedelta(days=1, hours=2, minutes=3, seconds=4.5), _NOON),
        ("2026-11-22T12:00:00+02:00/PT1H", _NOON - timedelta(hours=2), _NOON - timedelta(hours=1)),
        ("P1D/2026-11-22", _NOON - timedelta(hours=36), _NOON - timedelta(hours=12)),
    ],
)
def test_a_timespan_is_two_moments_in_utc(text: str, start: datetime, stop: datetime) -> None:
    assert parse_timespan(text, _NOW) == (start, stop)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1h", "P1Y", "PT1H/PT1H", "/", "2026-11-22T12:00:00Z/", "P999999W/0001-01-01"]
)
def test_anything_else_is_not_a_timespan(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="timespan"):
        parse_timespan(text, _NOW)


def test_brackets_in_strings_and_comments_do_not_count_as_depth() -> None:
    check_text("T | where x == '" + "(" * 500 + "' // " + "[" * 500)
    with pytest.raises(QuerySyntaxError, match="deep"):
        check_text("T | where " + "(" * 500)


@pytest.mark.parametrize("trend", ["avg", "linefit", "none"])
def test_outliers_in_a_seasonal_series_are_found_and_nothing_else(trend: str) -> None:
    noise = random.Random(3)
    series = [50 * math.sin(hour / 24 * 2 * math.pi) + noise.uniform(-1, 1) for hour in range(240)]
    series[100] += 80
    series[200] -= 80

    flags, scores, baseline = decompose(series, 3.0, -1, trend)

    assert {index: flag for index, flag in enumerate(flags) if flag} == {100: 1, 200: -1}
    assert scores[100] > 3.0 > -3.0 > scores[200]
    assert len(baseline) == len(series)


@pytest.mark.parametrize("series", [[], [1.0], [2.0] * 20, [0.0, 1.0, 0.0]])
def test_series_without_outliers_have_none(series: list[float]) -> None:
    flags, scores, baseline = decompose(series, 1.5, -1, "linefit")

    assert flags == [0] * len(series)
    assert len(scores) == len(baseline) == len(series)


def test_the_store_has_exactly_the_columns_that_queries_are_bound_against() -> None:
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS insights")
    for statement in ddl():
        connection.execute(statement)

    for table, columns in query_schema().items():
        described = connection.execute(f'SELECT * FROM insights.main."{table}" LIMIT 0').description or []
        assert [column[0] for column in described] == list(columns)
    connection.close()


def test_no_two_columns_of_a_table_differ_only_in_case() -> None:
    for columns in query_schema().values():
        assert len({name.lower() for name in columns}) == len(columns)
    assert {table.classic for table in TABLES} | {table.workspace for table in TABLES} == set(query_schema())


_FRAGMENTS = [
    "T",
    "| serialize",
    "| extend x = prev(n)",
    "| project-keep n*",
    "| evaluate pivot(k)",
    "| make-series count() on n from 0 to 9 step 1",
    "| order by n asc",
    "| summarize percentiles(n, 5, 95) by k",
    "| where n > (",
    "bin_at(n, 5, 1)",
    "'",
    "let a = T;",
    "| join (T) on k",
    "| extend x = row_cumsum(n)",
    "columnifexists('n', 1)",
    "| take 1",
    "| mv-expand k",
    ")",
    "| evaluate bag_unpack(k)",
    "| project-reorder k",
]


@pytest.mark.parametrize("seed", range(40))
def test_any_sequence_of_operators_is_answered_or_refused_in_words(seed: int) -> None:
    chance = random.Random(seed)
    text = "T " + " ".join(chance.choices(_FRAGMENTS, k=chance.randint(1, 5)))
    connection = duckdb.connect()
    connection.execute("CREATE TABLE \"T\" AS SELECT range AS n, 'k' || range % 3 AS k FROM range(10)")
    engine = Engine({"T": ["n", "k"]})
    with contextlib.suppress(QueryError):
        engine.run(text, engine.session(connection, _NOW)).fetchall()
    connection.close()
