"""Bad input gets one clear refusal, costs bounded memory and time, and disturbs nobody else."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.contract.insights.client import Insights
from tests.contract.insights.workload import envelope
from tests.processes import Service, running

_LIMITS = ("--query-seconds", "1", "--query-rows", "50", "--memory-mb", "300", "--retain-hours", "900000")
_ENDLESS = """range x from 1 to 1000000 step 1 | extend y = 1
| join kind=inner (range z from 1 to 1000000 step 1 | extend y = 1) on y | summarize count() by x"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    with running("local.insights", "--port", "0", *_LIMITS, folder=folder) as started:
        yield started


@pytest.fixture(autouse=True)
def _still_well(insights: Insights, service: Service) -> Iterator[None]:
    yield
    assert service.process.poll() is None
    assert insights.rows("print alive = 1") == [[1]]
    assert insights.send([envelope("EventData", datetime.now(UTC), {"name": "alive"})])["itemsAccepted"] == 1


@pytest.mark.parametrize(  # no time in the bytes: they name the tests, and all who share the work must name them alike
    ("body", "encoding", "status", "named"),
    [
        (b"not gzip at all", "gzip", 400, "gzip"),
        (gzip.compress(b'[{"a": 1}]' * 50, mtime=0)[:-6], "gzip", 400, "cut short"),
        (gzip.compress(b"[]", mtime=0) + b"rest", "gzip", 400, "after its end"),
        (b"\x00\xff", "deflate", 400, "deflate"),
        (b"[]", "br", 415, "br"),
        (b"", "", 400, "empty"),
        (b"[{]", "", 400, "JSON"),
        (b"[" * 100_000, "", 400, "JSON"),
        (b"\xff\xfe", "", 400, "JSON"),
    ],
)
def test_a_malformed_body_is_refused(insights: Insights, body: bytes, encoding: str, status: int, named: str) -> None:
    headers = {"content-encoding": encoding} if encoding else {}

    answer = insights.http.post("/v2.1/track", content=body, headers=headers)

    assert answer.status_code == status
    assert named in answer.json()["errors"][0]["message"]
    assert answer.json()["itemsAccepted"] == 0


def test_a_gzip_bomb_is_refused_in_bounded_memory(insights: Insights, service: Service) -> None:
    bomb = gzip.compress(gzip.compress(b" " * 400_000_000, 1), 1)  # built in layers to keep this test itself small
    bomb = gzip.decompress(bomb)
    before = psutil.Process(service.process.pid).memory_info().rss

    answer = insights.http.post("/v2.1/track", content=bomb, headers={"content-encoding": "gzip"})

    assert answer.status_code == 413
    assert "unfolds" in answer.json()["errors"][0]["message"]
    assert psutil.Process(service.process.pid).memory_info().rss - before < 100_000_000


def _hundred_megabytes() -> Iterator[bytes]:
    for _ in range(100):
        yield b" " * 1_000_000


@pytest.mark.parametrize(("path", "status"), [("/v2.1/track", 413), ("/v1/apps/local/query", 400)])
def test_a_body_of_100_mb_is_refused_in_bounded_memory(
    insights: Insights, service: Service, path: str, status: int
) -> None:
    before = psutil.Process(service.process.pid).memory_info().rss
    try:
        answer = insights.http.post(path, content=_hundred_megabytes())
    except (OSError, httpx2.TransportError):
        pass  # the service closed the connection before the client had sent everything, which is a refusal too
    else:
        assert answer.status_code == status
        assert "larger than" in answer.text

    assert psutil.Process(service.process.pid).memory_info().rss - before < 100_000_000


def test_slow_senders_do_not_keep_others_from_sending(insights: Insights, service: Service) -> None:
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(20)]
    for connection in slow:
        connection.sendall(
            b"POST /v2.1/track HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 9000000\r\n\r\n"
            + b"x" * 900
        )

    packed = gzip.compress(json.dumps([envelope("EventData", datetime.now(UTC), {"name": "quick"})]).encode())
    answer = insights.http.post("/v2.1/track", content=packed, headers={"content-encoding": "gzip"}, timeout=5)

    assert answer.status_code == 200
    for connection in slow:
        connection.close()


def test_an_endless_query_is_stopped_in_time_while_others_are_answered(insights: Insights, service: Service) -> None:
    outcome: list[int] = []
    before = psutil.Process(service.process.pid).memory_info().rss
    started = time.monotonic()
    other = Insights(service.url)
    endless = threading.Thread(target=lambda: outcome.append(other.ask(_ENDLESS).status_code))
    endless.start()
    waits = []
    while endless.is_alive():
        asked = time.monotonic()
        insights.send([envelope("EventData", datetime.now(UTC), {"name": "meanwhile"})])
        waits.append(time.monotonic() - asked)
    endless.join()
    other.close()

    assert outcome == [504]
    assert psutil.Process(service.process.pid).memory_info().rss - before < 500_000_000
    assert time.monotonic() - started < 10
    assert max(waits) < 1.5


def test_a_query_that_needs_too_much_memory_is_refused(insights: Insights) -> None:
    error = insights.error(
        """range x from 1 to 1000000 step 1 | extend wide = strcat(x, strrep("x", 1000))
        | join kind=inner (range z from 1 to 1000000 step 1 | extend x = z) on x | summarize make_list(wide)"""
    )

    assert error["code"] in {"BadArgumentError", "GatewayTimeout"}
    assert error["innererror"]["code"] in {"ResourceLimit", "QueryTimeout"}


def test_a_result_above_the_row_limit_is_cut_and_says_so(insights: Insights) -> None:
    answer = insights.ask("range x from 1 to 5000 step 1").json()

    assert answer["error"]["code"] == "PartialError"
    assert "50 rows" in answer["error"]["innererror"]["message"]
    assert [row[0] for row in answer["tables"][0]["rows"]] == list(range(1, 51))


@pytest.mark.parametrize(
    "query",
    [
        "requests | where " + "(" * 5_000,
        "requests | where " + "(" * 800 + "success" + ")" * 800,
        "requests | extend x = " + "abs(" * 600 + "1" + ")" * 600,
        "requests " + "| where success " * 1_500,
        "requests | where name == '" + "x" * 50_000 + "'",
        "\x00\x01\x02",
        "requests | make-series n = count() on timestamp from ago(1000d) to now() step 1ms",
        "requests | make-series n = count() on timestamp from ago(1d) to now() step 0s",
        "range x from 1 to 1000000000000 step 1 | count",
        "let n = 1000000000; union (range x from 1 to n step 1) | count",
        "print strlen(strrep('xxxxxxxxxx', 1000000000))",
    ],
    ids=["open", "deep", "calls", "long", "huge", "binary", "points", "step", "range", "union", "strrep"],
)
def test_a_hostile_query_text_is_refused_or_answered_within_seconds(insights: Insights, query: str) -> None:
    started = time.monotonic()

    status = insights.ask(query).status_code

    assert status in {200, 400}
    assert time.monotonic() - started < 8


def test_values_at_the_edge_are_stored_or_refused_but_never_stop_the_service(insights: Insights) -> None:
    name = "edge \x00 \U0001f600 '\"\\"
    metric = {"metrics": [{"name": "m", "value": 1e308, "count": 10**12}], "properties": {"a\x00b": "\x00", "'": '"'}}
    sent = [
        envelope("EventData", datetime(1, 1, 1, tzinfo=UTC), {"name": name}),
        envelope("EventData", datetime(9999, 12, 31, tzinfo=UTC), {"name": name}),
        envelope("MetricData", datetime.now(UTC), metric),
    ]

    for one in sent:
        answer = insights.http.post("/v2.1/track", json=[one])
        assert answer.status_code in {200, 400}


def test_telemetry_with_another_key_is_refused_when_one_is_set(tmp_path: Path) -> None:
    with running("local.insights", "--port", "0", "--instrumentation-key", "abc", folder=tmp_path) as service:
        client = Insights(service.url)
        answer = client.http.post("/v2.1/track", json=[envelope("EventData", datetime.now(UTC), {"name": "x"})])
        client.close()

    assert answer.status_code == 400
    assert "instrumentation key" in answer.json()["errors"][0]["message"]
