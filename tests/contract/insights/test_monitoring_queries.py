"""Monitoring queries answer what an independent computation over the same rows gives, in the columns KQL defines."""

import math
from typing import Any

import pytest

from tests.contract.insights.client import Insights
from tests.contract.insights.monitoring_queries import QUERIES, MonitoringQuery
from tests.contract.insights.workload import NOW, Workload, build
from tests.kql_oracle import KqlOracle

_BY_NAME = [pytest.param(query, id=query.name) for query in QUERIES]


@pytest.fixture(scope="module")
def work(insights: Insights) -> Workload:
    workload = build()
    envelopes = workload.envelopes()
    for start in range(0, len(envelopes), 1000):
        insights.send(envelopes[start : start + 1000])
    return workload


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float | int):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return type(left) is type(right) and left == right


@pytest.mark.parametrize("query", _BY_NAME)
def test_the_rows_are_those_of_an_independent_computation(
    query: MonitoringQuery, insights: Insights, work: Workload
) -> None:
    expected = query.rows(work)
    actual = insights.rows(query.text, now=NOW.isoformat())
    if not query.ordered:
        actual, expected = sorted(actual, key=str), sorted(expected, key=str)

    assert len(actual) == len(expected) > 0
    for found, wanted in zip(actual, expected, strict=True):
        assert len(found) == len(wanted)
        assert all(map(_same, found, wanted)), f"{found} is not {wanted}"


@pytest.mark.javascript
@pytest.mark.parametrize("query", _BY_NAME)
def test_the_columns_are_those_of_the_official_binder(
    query: MonitoringQuery, insights: Insights, work: Workload, oracle: KqlOracle
) -> None:
    verdict = oracle.check(query.text)
    actual = insights.table(query.text, now=NOW.isoformat()).columns

    if query.dynamic_columns:
        assert [found for found in verdict.errors if found.code != "KS142"] == []
    else:
        assert verdict.errors == ()
        assert actual == verdict.columns


def test_a_repeated_query_is_translated_once(insights: Insights, work: Workload) -> None:
    insights.rows(QUERIES[0].text)
    before = insights.account()["translations"]["made"]

    insights.rows(QUERIES[0].text, now="2026-11-22T11:00:00Z")

    assert insights.account()["translations"]["made"] == before


def test_planted_outliers_are_flagged_and_the_answer_says_that_it_is_an_approximation(
    insights: Insights, work: Workload
) -> None:
    values = [100 + (hour % 24) for hour in range(24 * 7)]
    values[70], values[120] = 900, -500
    text = f"""print points = dynamic({values})
    | extend (flagged, score, baseline) = series_decompose_anomalies(points, 3.0, -1, 'linefit')
    | mv-expand flagged to typeof(int) | extend one = 1 | order by one asc | extend place = row_number() - 1
    | where flagged != 0 | project place, flagged"""

    answer = insights.ask(text)

    assert answer.status_code == 200, answer.text
    assert sorted(answer.json()["tables"][0]["rows"]) == [[70, 1], [120, -1]]
    assert answer.headers["x-sim-approximation"] == "series_decompose_anomalies"
