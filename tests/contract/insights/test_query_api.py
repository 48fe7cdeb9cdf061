"""The query API: result types, time spans, the shifted clock, and errors that name what is wrong."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.insights.client import Insights
from tests.contract.insights.workload import envelope

_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def _events(insights: Insights) -> None:
    insights.send([envelope("EventData", _AT - timedelta(hours=hours), {"name": f"{hours}h"}) for hours in range(5)])


def test_every_type_is_written_as_the_api_writes_it(insights: Insights) -> None:
    table = insights.table(
        """print moment = datetime(2026-11-22T10:00:00.1230000Z), whole = 1, half = 0.5, yes = true, word = "w",
        bag = dynamic({"a": [1, "x"]}), span = 1d + 2h + 3m + 4s, back = -1m, bound = int(7), nan = real(nan),
        none = datetime(null), list = pack_array(1, 2), id = guid(74be27de-1e4e-49d9-b579-fe0b331d3642)"""
    )

    assert [kind for _, kind in table.columns] == [
        "datetime", "long", "real", "bool", "string", "dynamic", "timespan", "timespan", "int", "real", "datetime",
        "dynamic", "guid",
    ]  # fmt: skip
    (row,) = table.rows
    assert json.loads(row.pop(5)) == {"a": [1, "x"]}
    assert json.loads(row.pop(10)) == [1, 2]
    assert row == [
        "2026-11-22T10:00:00.123Z", 1, 0.5, True, "w", "1.02:03:04", "-00:01:00", 7, "NaN", None,
        "74be27de-1e4e-49d9-b579-fe0b331d3642",
    ]  # fmt: skip


def test_the_clock_can_be_shifted_per_query(insights: Insights) -> None:
    query = "customEvents | where timestamp between (ago(150m) .. now()) | project name | order by name asc"

    assert insights.table(query, now="2026-11-22T12:00:00Z").values == ["0h", "1h", "2h"]
    assert insights.table(query, now="2026-11-22T10:00:00+00:00").values == ["2h", "3h", "4h"]
    assert insights.table(query, now="2020-01-01T00:00:00Z").values == []


def test_now_is_the_present_without_the_header(insights: Insights) -> None:
    ((answered,),) = insights.rows("print now()")

    assert abs(datetime.fromisoformat(answered) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("timespan", "names"),
    [
        ("PT90M", ["0h", "1h"]),
        ("P1D", ["0h", "1h", "2h", "3h", "4h"]),
        ("2026-11-22T09:00:00Z/2026-11-22T10:00:00Z", ["2h", "3h"]),
        ("2026-11-22T08:30:00Z/PT2H", ["2h", "3h"]),
        ("PT1H/2026-11-22T08:30:00Z", ["4h"]),
    ],
)
def test_a_timespan_limits_classic_and_workspace_tables(insights: Insights, timespan: str, names: list[str]) -> None:
    for query in ("customEvents | project name | order by name asc", "AppEvents | project Name | order by Name asc"):
        assert insights.table(query, now="2026-11-22T12:00:00Z", timespan=timespan).values == names


def test_a_timespan_holds_for_one_query_only(insights: Insights) -> None:
    insights.rows("customEvents | count", now="2026-11-22T12:00:00Z", timespan="PT1M")

    assert insights.rows("customEvents | count") == [[5]]


@pytest.mark.parametrize("path", ["/v1/apps/any-id/query", "/v1/workspaces/any-id/query"])
def test_both_resources_answer_by_post_and_get(insights: Insights, path: str) -> None:
    for answer in (
        insights.http.post(path, json={"query": "print x = 1"}),
        insights.http.get(path, params={"query": "print x = 1"}),
    ):
        expected = {"tables": [{"name": "PrimaryResult", "columns": [{"name": "x", "type": "long"}], "rows": [[1]]}]}
        assert (answer.status_code, answer.json()) == (200, expected)


@pytest.mark.parametrize(
    ("query", "inner", "named"),
    [
        ("requests | wherex success", "SyntaxError", "wherex"),
        ("requests | where", "SyntaxError", "1:"),
        ("nosuchtable | count", "SemanticError", "nosuchtable"),
        ("requests | where nosuchcolumn > 1", "SemanticError", "nosuchcolumn"),
        ("requests | project-keep nosuchcolumn", "SemanticError", "nosuchcolumn"),
        ("requests | extend place = row_number()", "SemanticError", "row_number"),
        ("requests | summarize sum(name)", "SemanticError", "sum"),
        ("union duckdb_tables | count", "SemanticError", "duckdb_tables"),
        ("duckdb_settings | count", "SemanticError", "duckdb_settings"),
        ("['/etc/passwd'] | count", "SemanticError", "/etc/passwd"),
        ("requests | top-nested 2 of name by count()", "NotCoveredLocally", "top-nested"),
        ("requests | mv-apply x = customMeasurements on (take 1)", "NotCoveredLocally", "mv-apply"),
        ("requests | evaluate autocluster()", "NotCoveredLocally", "autocluster"),
        ("requests | summarize hll(name)", "NotCoveredLocally", "hll"),
        ("requests | extend x = series_fir(customMeasurements, 1)", "NotCoveredLocally", "series_fir"),
        ("requests | make-series n = count() on timestamp step 1h", "NotCoveredLocally", "make-series"),
        ("requests | project name | evaluate pivot(name, max(name))", "NotCoveredLocally", "max"),
        ("requests | order by name asc | serialize name = row_number()", "NotCoveredLocally", "serialize"),
        ("requests | project-away nosuch*", "SemanticError", "nosuch"),
        (".show tables", "NotCoveredLocally", "management commands"),
        ("externaldata(x: string)['http://127.0.0.1/x'] | count", "NotCoveredLocally", "xternal"),
    ],
)
def test_a_query_that_cannot_run_is_refused_and_the_cause_is_named(
    insights: Insights, query: str, inner: str, named: str
) -> None:
    error = insights.error(query)

    assert error["code"] == "BadArgumentError"
    assert error["innererror"]["code"] == inner
    assert named in error["innererror"]["message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b'{"query": 1}', "query"),
        (b'{"query": "print 1", "timespan": "soon"}', "timespan"),
        (b'{"query": "print 1", "timespan": "P"}', "timespan"),
        (b'{"query": "print 1", "timespan": 5}', "timespan"),
        (b'{"query": "print 1", "applications": ["other"]}', "applications"),
    ],
)
def test_a_bad_request_body_is_refused(insights: Insights, body: bytes, named: str) -> None:
    answer = insights.http.post("/v1/apps/x/query", content=body)

    assert answer.status_code == 400
    assert named in answer.json()["error"]["innererror"]["message"]


def test_a_bad_clock_is_refused(insights: Insights) -> None:
    answer = insights.ask("print 1", now="noon")

    assert answer.status_code == 400
    assert "x-sim-now" in answer.json()["error"]["innererror"]["message"]


def test_an_address_that_is_not_covered_is_named(insights: Insights) -> None:
    answer = insights.http.get("/v1/apps/x/metrics/requests/count")

    assert answer.status_code == 404
    assert "/v1/apps/x/metrics/requests/count" in answer.json()["error"]["innererror"]["message"]


def test_a_column_that_holds_text_is_never_null(insights: Insights) -> None:
    query = """customEvents | take 1 | project key = "none", name
    | join kind=leftouter (customEvents | where name == "0h" | project key = "other", found = name) on key
    | project found, missing = tostring(parse_json("{}").a)"""

    assert insights.rows(query) == [["", ""]]


def _sorted(rows: list[list[Any]]) -> list[list[Any]]:
    return sorted(rows, key=str)


def test_pivot_fills_missing_cells_with_the_empty_count(insights: Insights) -> None:
    query = """datatable(name: string, code: string) ["a", "200", "a", "429", "b", "200"]
    | evaluate pivot(code)"""
    table = insights.table(query)

    assert table.columns == (("name", "string"), ("200", "long"), ("429", "long"))
    assert _sorted(table.rows) == [["a", 1, 1], ["b", 1, 0]]


def test_make_series_fills_gaps_with_the_default(insights: Insights) -> None:
    query = """datatable(at: long, v: real) [0, 1.0, 25, 4.0]
    | make-series total = sum(v) default = -1.0, n = count() on at from 0 to 40 step 10"""

    ((total, n, at),) = insights.rows(query)

    assert (json.loads(total), json.loads(n), json.loads(at)) == ([1.0, -1.0, 4.0, -1.0], [1, 0, 1, 0], [0, 10, 20, 30])


def test_make_series_of_nothing_is_one_series_only_when_asked(insights: Insights) -> None:
    query = "customEvents | where name == 'no' | make-series {} n = count() on timestamp from ago(3h) to now() step 1h"

    assert insights.rows(query.format("")) == []
    assert [json.loads(row[0]) for row in insights.rows(query.format("kind=nonempty"))] == [[0, 0, 0]]
