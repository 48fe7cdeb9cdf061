"""percentilew and percentilesw against a computation that writes every value out as often as it counts."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from local.insights.errors import NotCoveredError, SemanticError
from local.insights.kql.engine import Engine

Row = tuple[str, float | None, int]


@pytest.fixture
def rows() -> list[Row]:
    chance = random.Random(11)
    found: list[Row] = [
        (chance.choice("ab"), round(chance.uniform(0, 50), 1), chance.randint(0, 9)) for _ in range(400)
    ]
    return [*found, ("a", None, 5), ("c", 7.0, 3), ("d", None, 4)]


@pytest.fixture
def connection(rows: list[Row]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE "T" (k VARCHAR, x DOUBLE, n INTEGER)')
        connection.executemany('INSERT INTO "T" VALUES (?, ?, ?)', rows)
        yield connection


def ask(connection: duckdb.DuckDBPyConnection, text: str) -> list[tuple[Any, ...]]:
    engine = Engine({"T": ["k", "x", "n"]})
    return engine.run(text, engine.session(connection, datetime.now(UTC))).fetchall()


def nearest_rank(rows: list[Row], level: float) -> float | None:
    written_out = sorted(x for _, x, n in rows if x is not None for _ in range(n))
    return written_out[max(0, math.ceil(level / 100 * len(written_out)) - 1)] if written_out else None


@pytest.mark.parametrize("level", [0, 5, 50, 95, 99.5, 100])
def test_a_weighted_percentile_of_everything(connection: Any, rows: list[Row], level: float) -> None:
    assert ask(connection, f"T | summarize p = percentilew(x, n, {level})") == [(nearest_rank(rows, level),)]


def test_weighted_percentiles_of_groups_beside_other_aggregates(connection: Any, rows: list[Row]) -> None:
    query = "T | where n >= 0 | summarize c = count(), (p50, p95) = percentilesw(x, n, 50, 95), s = sum(n) by key = k"

    found = ask(connection, f"{query} | order by key asc")

    for key, count, p50, p95, whole in found:
        own = [row for row in rows if row[0] == key]
        assert (count, p50, p95) == (len(own), nearest_rank(own, 50), nearest_rank(own, 95))
        assert whole == sum(n for _, _, n in own)
    assert [row[0] for row in found] == ["a", "b", "c", "d"]


def test_two_weighted_percentiles_and_a_computed_group(connection: Any, rows: list[Row]) -> None:
    query = "T | summarize a = percentilew(x, n, 90), b = percentilew(-x, 1, 90) by bin(x, 10) | where isnotnull(a)"

    found = ask(connection, f"{query} | order by x asc")

    for low, a, b in found:
        own = [row for row in rows if row[1] is not None and low <= row[1] < low + 10]
        assert a == nearest_rank(own, 90)
        assert b == nearest_rank([(k, -float(x or 0), 1) for k, x, _ in own], 90)


def test_equal_weights_give_the_plain_percentile(connection: Any) -> None:
    ((weighted, plain),) = ask(connection, "T | summarize w = percentilew(x, 1, 90), p = percentile(x, 90)")

    assert weighted == plain


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ("percentilew(x, n, 95)", NotCoveredError),
        ("a = 2 * percentilew(x, n, 95)", NotCoveredError),
        ("(a, b) = percentilesw(x, n, 95)", NotCoveredError),
        ("a = percentilew(x, n)", SemanticError),
    ],
)
def test_what_is_not_covered_is_refused(connection: Any, column: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(connection, f"T | summarize {column} by k")
