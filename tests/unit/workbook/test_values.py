"""Values of the workbook's parameters become KQL, and nothing but values."""

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from local.insights.kql.engine import Engine
from shared.errors import InvalidRequest
from shared.workbook.document import DROP_DOWN, TEXT, TIME_RANGE, Parameter, load
from shared.workbook.values import fill_in

PARAMETERS = {
    "TimeRange": Parameter("TimeRange", TIME_RANGE, several=False, value={"durationMs": 3_600_000}),
    "Tenant": Parameter("Tenant", DROP_DOWN, several=True, value=["value::all"]),
    "Measure": Parameter("Measure", DROP_DOWN, several=False, value="value::1"),
    "Objective": Parameter("Objective", TEXT, several=False, value="99.9"),
    "Trace": Parameter("Trace", TEXT, several=False, value=""),
}
HOSTILE = (
    "'",
    "\\",
    "\\'",
    "'; print 1; '",
    "') or true or ('",
    '"; customEvents',
    "a\\\\' | union *",
    "{TimeRange}",
    "// comment",
    "ünïcödé 漢字",
    "${x} %s {0}",
)


def written(text: str, **values: Any) -> str:
    return fill_in(text, PARAMETERS, values)


@pytest.mark.parametrize("value", HOSTILE)
def test_whatever_a_choice_is_it_comes_back_from_the_engine_as_it_went_in(value: str) -> None:
    engine = Engine({})
    with duckdb.connect() as connection:
        query = written("print found = strcat({Tenant})", Tenant=[value])
        result = engine.run(query, engine.session(connection, datetime.now(UTC)))

        assert result.fetchall() == [(value,)]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "'*'"),
        ({"Tenant": []}, "'*'"),
        ({"Tenant": ["value::all"]}, "'*'"),
        ({"Tenant": ["contoso"]}, "'contoso'"),
        ({"Tenant": ["a", "it's"]}, "'a','it\\'s'"),
    ],
)
def test_chosen_values_are_written_as_workbooks_write_them(values: dict[str, Any], text: str) -> None:
    assert written("{Tenant}", **values) == text


@pytest.mark.parametrize(
    ("duration_minutes", "grain"), [(30, "1m"), (60, "1m"), (240, "5m"), (720, "15m"), (1440, "30m"), (43_200, "1d")]
)
def test_a_time_range_is_a_comparison_and_a_grain_that_grows_with_it(duration_minutes: int, grain: str) -> None:
    chosen = {"durationMs": duration_minutes * 60_000}

    found = written("where timestamp {TimeRange} by bin(timestamp, {TimeRange:grain})", TimeRange=chosen)

    assert found == f"where timestamp > ago({duration_minutes * 60}s) by bin(timestamp, {grain})"


def test_two_moments_are_written_in_utc() -> None:
    chosen = {"startTime": "2026-11-28T10:00:00+02:00", "endTime": "2026-11-28T09:00:00Z"}

    found = written("{TimeRange} {TimeRange:grain}", TimeRange=chosen)

    assert found == "between (datetime(2026-11-28T08:00:00.000000Z) .. datetime(2026-11-28T09:00:00.000000Z)) 1m"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"TimeRange": "1h"}, "TimeRange: must be an object"),
        ({"TimeRange": {"durationMs": "x"}}, "TimeRange: must be an object"),
        ({"TimeRange": {"durationMs": 10**15}}, "TimeRange: must be"),
        ({"TimeRange": {"durationMs": 0}}, "TimeRange: must be from a minute"),
        ({"TimeRange": {"startTime": "now", "endTime": "now"}}, "TimeRange: must be an object"),
        ({"Tenant": "contoso"}, "Tenant: must be a list"),
        ({"Tenant": [1]}, "Tenant: must be a list"),
        ({"Tenant": ["a\nb"]}, "Tenant: values must be printable"),
        ({"Tenant": ["x" * 201]}, "Tenant: at most"),
        ({"Tenant": ["x"] * 101}, "Tenant: at most"),
        ({"Objective": "99.9 or true"}, "Objective: must be a number"),
        ({"Objective": ""}, "Objective: must be a number"),
        ({"Objective": 99}, "Objective: must be a text"),
        ({"Trace": '" or 1 == 1 or "'}, "Trace: only letters"),
        ({"Trace": "a'b"}, "Trace: only letters"),
        ({"Measure": "a\\"}, "Measure: only letters"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_is_wanted(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        written("{TimeRange} {Tenant} {Measure} {Objective} {Trace}", **values)


def test_only_placeholders_of_parameters_are_replaced() -> None:
    assert written("{Other} {TimeRange:grain} {Trace}", Trace="ab12") == "{Other} 1m ab12"


def test_the_deployed_workbook_has_its_queries_and_parameters() -> None:
    workbook = load()

    assert {"TimeRange", "Tenant", "Deployment", "Lane", "Objective", "FirstTokenTarget", "Measure", "Trace"} == set(
        workbook.parameters
    )
    assert {"parameter-Tenant", "overview-service", "latency-trace", "cost-waste"} <= set(workbook.queries)
