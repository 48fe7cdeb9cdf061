"""The workbook: current, whole, and reading only what telemetry has."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.workbooks.__main__ import FILES, rendered
from infra.workbooks.items import QUERIES
from local.insights.schema import query_schema
from shared.evaluating import events
from shared.telemetry import names
from shared.timelines import stages
from shared.workbook.document import TEXT, load
from shared.workbook.values import PLACEHOLDER, fill_in
from tests.kql_oracle import KqlOracle, Verdict, node_is_missing
from tests.processes import ROOT

WORKBOOK = load()
INSTRUMENTS = {one.name for one in (*names.COUNTERS, *names.HISTOGRAMS, *names.GAUGES)}
EVENTS = {names.EVENT_TURN, events.EVENT}
SPANS = {names.SPAN_RUN}
ATTRIBUTES = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
STAGES = stages.STAGES
MEASUREMENTS = ATTRIBUTES | set(names.STEP_TIMES) | {f"{stage}_ms" for stage in STAGES}
EVALUATION = set(
    re.findall(r'"((?:gen_ai|spillway|error)\.[\w.]+)"', (ROOT / "shared/evaluating/events.py").read_text())
)
SOURCES = "".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
ACTIONS = set(re.findall(r'log\.(?:info|warning|failure)\(\s*"([a-z_]+)"', SOURCES))
LOG_FIELDS = {"action"} | set(
    re.findall(r"\b([a-z_]+)=", "".join(re.findall(r"log\.\w+\([^()]*(?:\([^()]*\)[^()]*)*\)", SOURCES)))
)
CHARTS = {"timechart", "linechart", "areachart", "barchart", "piechart"}


def items(container: Mapping[str, Any] = WORKBOOK.content) -> Iterator[dict[str, Any]]:
    for item in container["items"]:
        yield item
        if "items" in item["content"]:
            yield from items(item["content"])


def query_items() -> list[dict[str, Any]]:
    return [item for item in items() if item["type"] == 3]


def parameters() -> list[dict[str, Any]]:
    return [found for item in items() for found in item["content"].get("parameters", ())]


def without_comments(text: str) -> str:
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def verdicts() -> Iterator[dict[str, Verdict]]:
    """What Microsoft's parser and binder says of each query with the values that the workbook starts with."""
    if missing := node_is_missing():
        pytest.skip(missing)
    with KqlOracle(query_schema()) as oracle:
        yield {
            name: oracle.check(fill_in(text, WORKBOOK.parameters, {"Trace": "0" * 32, "Measure": "safety"}))
            for name, text in WORKBOOK.queries.items()
        }


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_committed_workbook_is_what_its_sources_make(file: Any) -> None:
    assert file.read_text(encoding="utf-8") == rendered(), "run python -m infra.workbooks"


def test_the_file_has_the_shape_that_the_portal_imports() -> None:
    content = WORKBOOK.content
    versions = {1: None, 3: "KqlItem/1.0", 9: "KqlParameterItem/1.0", 11: "LinkItem/1.0", 12: "NotebookGroup/1.0"}

    assert content["version"] == "Notebook/1.0"
    assert content["fallbackResourceIds"]
    assert content["$schema"].endswith("/schema/workbook.json")
    assert len({item["name"] for item in items()}) == len(list(items()))
    assert len({found["id"] for found in parameters()}) == len(parameters())
    for item in items():
        assert item["content"].get("version") == versions[item["type"]]
        assert 0 < int(item.get("customWidth", "100")) <= 100
    for item in query_items():
        assert item["content"]["visualization"] in CHARTS | {"table", "tiles"}
        assert item["content"]["queryType"] == 0
        assert item["content"]["crossComponentResources"] == ["{Resource}"]


def test_tabs_lead_to_groups_and_visibility_to_parameters() -> None:
    links = [link for item in items() if item["type"] == 11 for link in item["content"]["links"]]
    groups = {item["conditionalVisibility"]["value"] for item in items() if item["type"] == 12}
    known = set(WORKBOOK.parameters) | {"Tab"}

    assert [link["subTarget"] for link in links] == list(dict.fromkeys(link["subTarget"] for link in links))
    assert {link["subTarget"] for link in links} == groups
    for item in items():
        assert item.get("conditionalVisibility", {"parameterName": "Tab"})["parameterName"] in known


def test_every_query_file_is_in_the_workbook_and_in_it_once() -> None:
    files = {path.stem for path in QUERIES.glob("*.kql")}

    assert {name.lower() for name in WORKBOOK.queries} == files


def test_every_placeholder_is_a_parameter_and_stands_where_its_value_is_safe() -> None:
    places = {"TimeRange": r"timestamp \{TimeRange\}|bin\(timestamp, \{TimeRange:grain\}\)"}
    for name, text in WORKBOOK.queries.items():
        for match in PLACEHOLDER.finditer(text):
            parameter = WORKBOOK.parameters[match[1]]
            is_number = parameter.kind == TEXT and str(parameter.value).replace(".", "").isdigit()
            quoted = rf'"[^"\n]*\{{{parameter.name}\}}[^"\n]*"'
            usual = places.get(parameter.name, rf"\(\{{{parameter.name}\}}\)" if parameter.several else quoted)
            spots = [found.span() for found in re.finditer(usual, text)]
            safe = any(start <= match.start() and match.end() <= stop for start, stop in spots)
            assert safe or is_number, f"{name}: {match[0]}"


def test_every_query_says_its_time_range_itself_and_the_item_says_the_same() -> None:
    for item in query_items():
        text, content = without_comments(item["content"]["query"]), item["content"]
        tables = len(re.findall(r"(?<![\w.])(?:customMetrics|customEvents|dependencies|requests|traces)\b", text))
        limits = len(re.findall(r"timestamp (?:\{TimeRange\}|> ago\(30d\)|>= startofday\(now\(\)\))", text))
        if item["name"] == "latency-trace":
            assert text.count('operation_Id == "{Trace}"') == tables
            continue
        assert limits == tables, item["name"]
        assert ("{TimeRange}" in text) == (content.get("timeContextFromParameter") == "TimeRange"), item["name"]


def test_every_query_parses_and_binds_with_microsofts_parser(verdicts: dict[str, Verdict]) -> None:
    found = {name: [(one.severity, one.message) for one in verdict.diagnostics] for name, verdict in verdicts.items()}

    assert {name: said for name, said in found.items() if said} == {}
    assert all(verdict.columns for verdict in verdicts.values())


def test_what_an_item_shows_is_what_its_query_gives(verdicts: dict[str, Verdict]) -> None:
    for item in query_items():
        content = item["content"]
        columns = dict(verdicts[item["name"]].columns)
        for formatter in content.get("gridSettings", {}).get("formatters", ()):
            matching = [column for column in columns if re.search(formatter["columnMatch"], column)]
            assert len(matching) == 1, f"{item['name']}: {formatter['columnMatch']}"
        for part in content.get("tileSettings", {}).values():
            assert not isinstance(part, dict) or part["columnMatch"] in columns
        for exported in content.get("exportedParameters", ()):
            assert exported["fieldName"] in columns
        if content["visualization"] in CHARTS:
            kinds = list(columns.values())
            assert "datetime" in kinds or content["visualization"] == "piechart", item["name"]
            assert set(kinds) <= {"datetime", "string", "real", "long"}
            assert kinds.count("string") <= 1


@pytest.mark.parametrize("name", sorted(WORKBOOK.queries))
def test_a_query_reads_only_names_that_telemetry_has(name: str) -> None:
    text = without_comments(WORKBOOK.queries[name])
    literals = set(re.findall(r'"([a-z_]+(?:\.[\w.]+)+)"', text))
    dimensions = set(re.findall(r'customDimensions\["([^"]+)"\]', text))
    measured = set(re.findall(r'(?:customMeasurements|\bm)\["([^"]+)"\]', text))
    named = {
        word
        for group in re.findall(r'\bname (?:==|in) \(?((?:"[^"]+"(?:, )?)+)', text)
        for word in re.findall(r'"([^"]+)"', group)
    }
    actions = {
        word
        for group in re.findall(r'\baction"?\]?\)? (?:==|in) \(?((?:"[^"]+"(?:, )?)+)', text)
        for word in re.findall(r'"([^"]+)"', group)
    }

    assert named <= INSTRUMENTS | EVENTS | SPANS
    assert dimensions <= ATTRIBUTES | EVALUATION | LOG_FIELDS
    assert measured <= MEASUREMENTS
    assert actions <= ACTIONS
    assert literals <= INSTRUMENTS | EVENTS | SPANS | ATTRIBUTES | EVALUATION


def test_counts_of_spans_and_events_are_weighted_by_what_each_row_stands_for() -> None:
    """Azure Monitor samples spans; a row then stands for `itemCount` of them. Evaluation results are not sampled."""
    for name, text in WORKBOOK.queries.items():
        if (
            re.search(r"^(?:let \w+ = )?(?:dependencies|requests)\b", text, flags=re.MULTILINE)
            and name != "latency-trace"
        ):
            assert "itemCount" in text, name
            assert not re.search(r"\bcount\(\)|\bpercentiles?\(", text), name
