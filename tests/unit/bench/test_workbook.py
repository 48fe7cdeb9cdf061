"""What is measured over a million rows is what the console asks: all of the workbook's queries, filled in."""

import json
from collections import Counter
from datetime import UTC, datetime

from bench.workbook.file import queries_by_tab
from bench.workbook.telemetry import batches
from local.insights.intake import parse
from shared.workbook.document import load
from shared.workbook.values import fill_in

ASKED_FOR_A_ROW = {"latency-trace"}
CHOSEN = {"TimeRange": {"durationMs": 86_400_000}, "Measure": "relevance"}


def test_every_tab_asks_what_the_console_asks() -> None:
    found = {name: text for queries in queries_by_tab(24).values() for name, text in queries.items()}
    workbook = load()
    console = {name: fill_in(text, workbook.parameters, CHOSEN) for name, text in workbook.queries.items()}

    assert set(found) == set(console) - ASKED_FOR_A_ROW
    assert {name for name, text in found.items() if text.replace("ago(24h)", "ago(86400s)") != console[name]} == set()


def test_the_rows_are_as_many_as_asked_for_and_all_are_taken() -> None:
    until = datetime(2026, 1, 2, tzinfo=UTC)
    bodies = list(batches(2_500, until, 24))
    taken = [parse(body, None) for body in bodies]
    rows = Counter({table: 0 for batch in taken for table in batch.rows})
    for batch in taken:
        rows.update({table: len(found) for table, found in batch.rows.items()})

    assert [len(json.loads(body)) for body in bodies] == [1000, 1000, 500]
    assert [error for batch in taken for error in batch.errors] == []
    assert rows.total() == 2_500
    assert set(rows) == {"requests", "dependencies", "traces", "customEvents", "customMetrics"}
