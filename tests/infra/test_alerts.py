"""Every alert has its runbook, the page of alerts says what is tested, and the command tells what fires."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.alerts.__main__ import main
from infra.alerts.table import load
from shared.errors import ALL_ERRORS
from shared.evaluating import events
from shared.telemetry import names
from tests.contract.alerts.incidents import INCIDENTS
from tests.processes import ROOT

FUNCTIONS = ("answer_interactive", "answer_standard", "answer_batch")
PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")


def test_every_alert_has_its_runbook_and_nothing_else_has() -> None:
    runbooks = dict(re.findall(r"^### (\S+)\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))

    assert set(runbooks) == {alert.name for alert in load()}
    for name, text in runbooks.items():
        assert "**Means:**" in text, name
        assert "**Look at" in text, name
        assert "**Do:**" in text or "and do:**" in text, name


def test_the_table_of_incidents_is_what_is_replayed() -> None:
    rows = re.findall(r"^\| ([^|:]+): [^|]+ \| (\S+) \| (\d) \| (\d+) \|$", PAGE, re.MULTILINE)
    alerts = {alert.name: alert for alert in load()}
    expected = [
        (one.name, one.alert, str(alerts[one.alert].severity), str(alerts[one.alert].found_within_minutes))
        for one in INCIDENTS
    ]

    assert rows == expected


class _Insights(BaseHTTPRequestHandler):
    """Finds something for the query whose comment has the word, and nothing else."""

    word = ""

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))["query"]
        rows = [["standard", 3]] if self.word and self.word in query else []
        table = {"name": "PrimaryResult", "columns": [{"name": "lane"}, {"name": "turns"}], "rows": rows}
        body = json.dumps({"tables": [table]}).encode()
        self.send_response(200 if self.word != "refuse" else 400)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the base class's name
        """Says nothing."""


@pytest.fixture
def insights() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Insights)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("", 0, "quiet   heartbeat"),
        ("dead_letters", 0, "ticket  dead-letters               Turns failed for good"),
        ("spillway.throttled", 1, "PAGES   throttled-share"),
    ],
    ids=["nothing", "a ticket", "a page"],
)
def test_the_command_says_what_would_fire(
    word: str, code: int, said: str, insights: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Insights, "word", word)

    assert main(["--url", insights]) == code
    output = capsys.readouterr().out
    assert said in output
    assert ("lane standard, turns 3" in output) == bool(word)


def test_a_command_without_an_answer_says_why(
    insights: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Insights, "word", "refuse")

    assert main(["--url", insights]) == 2
    assert "availability-burn-fast: 400" in capsys.readouterr().err
    assert main(["--url", "http://127.0.0.1:1"]) == 2
    assert "does not answer" in capsys.readouterr().err


def test_the_command_prints_the_queries(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--queries"]) == 0
    assert capsys.readouterr().out.count("let lag = 5m;") == len(load())


def known_names() -> set[str]:
    """Everything that the app calls something in telemetry."""
    values = [value for name, value in vars(names).items() if name.isupper()]
    constants = {value for value in values if isinstance(value, str)}
    instruments = {value.name for value in values if isinstance(value, names.Instrument)}
    source = (ROOT / "shared" / "evaluating" / "events.py").read_text(encoding="utf-8")
    return constants | instruments | set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', source)) | {events.EVENT}


@pytest.mark.parametrize("path", sorted((ROOT / "infra" / "alerts").glob("*.kql")), ids=lambda path: path.stem)
def test_queries_ask_for_nothing_that_the_app_does_not_say(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    dotted = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', text))
    measured = set(re.findall(r'customMeasurements\["(\w+)"\]', text))
    codes = {error.code for error in ALL_ERRORS}
    coded = set(re.findall(r'"(content_filtered|model_refused|unavailable|capacity_exhausted|[a-z]+_code)"', text))

    assert dotted, "the query asks for something"
    assert dotted | measured <= known_names()
    assert coded <= codes


def test_runbooks_name_nothing_that_the_app_does_not_say() -> None:
    named = set(re.findall(r"`(spillway\.[a-z_.]+[a-z])`", PAGE))
    actions = set(re.findall(r"`([a-z]+_[a-z_]+)`", PAGE.partition("## Runbooks")[2]))
    reference = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    codes = {error.code for error in ALL_ERRORS}

    assert named <= known_names()
    assert [action for action in actions - codes if f"`{action}`" not in reference and action not in FUNCTIONS] == []
