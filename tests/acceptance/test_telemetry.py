"""Telemetry of a whole run: one trace for a turn, counts that agree with the model's account, and no content."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.telemetry import names
from shared.timelines.stages import STAGES
from tests.acceptance.stack import MODEL, OPERATOR, OTHER, STORE_KEY, USER, Stack, ask
from tests.acceptance.test_offline import NAMESPACE
from tests.contract.insights.client import Insights
from tests.processes import ROOT

REFERENCE = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
TABLES = ("requests", "dependencies", "traces", "exceptions", "customEvents", "customMetrics")
QUESTION = "What does the violet hippogriff number {} cost?"
SETTINGS = {
    "SPILLWAY_MAX_RUNS": "2",
    "SPILLWAY_SAMPLE_SHARE": "0",
    "SPILLWAY_PRICES": json.dumps({MODEL: {"input": 0.15, "cached": 0.075, "output": 0.6}}),
}


@dataclass
class Seen:
    """A run of the whole app that is over: what callers saw, what the model accounts for, what telemetry has.

    Attributes:
        turns: Turn ids by what was done.
        texts: Questions and answers.
        sent: HTTP requests to the app, by method.
        rows: All telemetry, by table.
        answers: What the queries of the reference gave.
    """

    turns: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    answers: list[list[Any]] = field(default_factory=list)
    account: dict[str, Any] = field(default_factory=dict)
    stored: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, client: httpx2.Client, name: str, **options: Any) -> None:
        question = QUESTION.format(len(self.texts))
        answer = ask(client, question, **options)
        self.turns[name] = answer.events[0][2]["turn_id"]
        self.texts += [question, answer.text]

    def of(self, table: str, **wanted: Any) -> list[dict[str, Any]]:
        """Rows whose columns, or else dimensions, have these values."""
        return [row for row in self.rows[table] if all(value_of(row, name) == value for name, value in wanted.items())]

    def turn(self, table: str, name: str, what: str) -> list[dict[str, Any]]:
        """Rows of one turn, oldest first."""
        found = self.of(table, name=what, **{names.TURN_ID: self.turns[name]})
        return sorted(found, key=lambda row: row["timestamp"])

    def total(self, instrument: names.Instrument, *dimensions: str) -> dict[Any, float]:
        """Sums of a metric by dimensions."""
        sums: Counter[Any] = Counter()
        for row in self.of("customMetrics", name=instrument.name):
            key = tuple(value_of(row, dimension) for dimension in dimensions)
            sums[key if len(key) > 1 else key[0]] += row["value"]
        return dict(sums)


def value_of(row: dict[str, Any], name: str) -> Any:
    return row[name] if name in row else row["customDimensions"].get(name)


def as_rows(insights: Insights, table: str) -> list[dict[str, Any]]:
    found = insights.table(table)
    columns = [name for name, _ in found.columns]
    rows = [dict(zip(columns, row, strict=True)) for row in found.rows]
    for row in rows:
        for column in ("customDimensions", "customMeasurements"):
            row[column] = json.loads(row[column]) if row.get(column) else {}
    return rows


def drive(stack: Stack, seen: Seen) -> None:
    """Everything that can happen to a turn, one after the other."""

    def count(request: httpx2.Request) -> None:
        seen.sent[request.method] += 1

    with (
        stack.client(event_hooks={"request": [count]}) as client,
        stack.client(None, event_hooks={"request": [count]}, params={"code": OTHER}) as other,
        stack.client(OPERATOR, event_hooks={"request": [count]}) as operator,
    ):
        seen.ask(client, "direct")
        seen.ask(other, "other tenant")
        seen.ask(client, "queued", lane="standard")
        seen.ask(client, "keyed", headers={"Idempotency-Key": "once"})
        completion = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION.format("openai")}]}
        reply = client.post("/api/openai/v1/chat/completions", json=completion).json()
        seen.texts += [QUESTION.format("openai"), reply["choices"][0]["message"]["content"]]
        client.post("/api/chat", json={"message": ""})
        client.get("/api/chat/" + "0" * 32)
        for kind in ("quota", "capacity", "server_error"):
            for deployment in ("chat-0", "chat-1"):
                stack.fault(kind=kind, deployment=deployment, count=1, retry_after_ms=100, headers="ms")
            seen.ask(client, f"after {kind}", lane="standard")
            stack.calm()
        for deployment in ("chat-0", "chat-1"):
            stack.fault(kind="content_filter", deployment=deployment)
        seen.ask(client, "filtered")
        stack.calm()
        stack.fault(kind="server_error", status=500)
        seen.ask(client, "poisoned", lane="batch")
        stack.calm()
        operator.get("/api/dead-letters", params={"lane": "batch"})
        stack.fault(kind="quota", retry_after_ms=30_000, headers="ms")
        queued = client.post(
            "/api/chat", json={"message": QUESTION.format("gone"), "lane": "batch"}, headers={"Prefer": "respond-async"}
        ).json()
        seen.texts.append(QUESTION.format("gone"))
        seen.turns["cancelled"] = queued["turn_id"]
        reads = (client.get(f"/api/chat/{queued['turn_id']}").json() for _ in range(200) if time.sleep(0.05) is None)
        next(turn for turn in reads if turn["state"] == "deferred")
        client.delete(f"/api/chat/{queued['turn_id']}")
        stack.calm()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    stack = Stack(tmp_path_factory.mktemp("telemetry"), insights=True, settings=SETTINGS)
    seen = Seen()
    try:
        stack.start()
        drive(stack, seen)
        seen.stored = stack.turns()
        assert stack.parts["app"].stop() == 0
        seen.account = httpx2.get(f"{stack.parts['model'].url}/_sim/account").json()
        insights = Insights(stack.parts["insights"].url)
        seen.rows = {table: as_rows(insights, table) for table in TABLES}
        seen.answers = [insights.rows(query) for query in re.findall(r"```kusto\n(.*?)```", REFERENCE, re.DOTALL)]
        insights.close()
        yield seen
    finally:
        stack.stop()


@pytest.mark.parametrize("name", ["direct", "other tenant", "keyed"])
def test_a_direct_turn_is_one_trace_from_the_request_to_the_model(seen: Seen, name: str) -> None:
    (attempt,) = seen.turn("dependencies", name, f"chat {MODEL}")
    (run,) = seen.turn("dependencies", name, names.SPAN_RUN)
    (request,) = seen.of("requests", operation_Id=run["operation_Id"])

    assert attempt["operation_Id"] == run["operation_Id"] == request["operation_Id"]
    assert (attempt["operation_ParentId"], run["operation_ParentId"]) == (run["id"], request["id"])
    assert request["name"] == "POST /api/chat"


def test_a_queued_turn_is_one_trace_from_the_request_across_the_queue_to_the_model(seen: Seen) -> None:
    (attempt,) = seen.turn("dependencies", "queued", f"chat {MODEL}")
    (run,) = seen.turn("dependencies", "queued", names.SPAN_RUN)
    (worker,) = seen.of("requests", operation_Id=run["operation_Id"], name="answer_standard")
    (request,) = seen.of("requests", operation_Id=run["operation_Id"], name="POST /api/chat")

    parents = [row["operation_ParentId"] for row in (attempt, run, worker, request)]

    assert attempt["operation_Id"] == run["operation_Id"]
    assert parents == [run["id"], worker["id"], request["id"], ""]


@pytest.mark.parametrize("name", ["after quota", "after capacity", "after server_error"])
def test_a_retry_is_in_the_same_trace_and_linked_to_the_run_before_it(seen: Seen, name: str) -> None:
    first, *retries = seen.turn("dependencies", name, names.SPAN_RUN)

    assert first["customDimensions"][names.OUTCOME] == "deferred"
    assert retries
    for before, after in zip([first, *retries], retries, strict=False):
        links = json.loads(after["customDimensions"]["_MS.links"])
        assert links == [{"operation_Id": before["operation_Id"], "id": before["id"]}]
        assert after["operation_Id"] == first["operation_Id"]


def test_a_call_that_was_refused_is_a_failed_dependency(seen: Seen) -> None:
    attempts = seen.of("dependencies", name=f"chat {MODEL}")
    outcomes = {(row["success"], value_of(row, names.OUTCOME), value_of(row, names.CAUSE)) for row in attempts}

    assert {row["type"] for row in attempts} == {"GenAI | azure.ai.openai"}
    assert outcomes == {
        (True, "success", None),
        (False, "overload", "quota"),
        (False, "overload", "capacity"),
        (False, "ignored", "server_fault"),
        (False, "ignored", "content_filter"),
    }


def test_calls_and_429s_agree_with_the_models_account_exactly(seen: Seen) -> None:
    accounts = {key: sums for key, sums in seen.account["deployments"].items() if "/chat-" in key}
    calls = {key.partition("/")[2]: sums["calls"] for key, sums in accounts.items()}
    throttled: Counter[str] = Counter()
    for sums in accounts.values():
        throttled.update({k.removesuffix("_429"): n for k, n in sums["outcomes"].items() if k.endswith("_429")})

    assert seen.total(names.ATTEMPTS_MADE, names.DEPLOYMENT) == calls
    assert seen.total(names.THROTTLED, names.CAUSE) == dict(throttled)
    assert len(seen.of("dependencies", name=f"chat {MODEL}")) == sum(calls.values())
    assert set(throttled) == {"quota", "capacity"}


def test_tokens_and_cost_agree_with_the_models_account_exactly(seen: Seen) -> None:
    answered = [
        row for row in seen.of("customEvents", name=names.EVENT_TURN) if value_of(row, names.OUTCOME) == "succeeded"
    ]
    tokens = seen.total(names.TOKENS, names.DEPLOYMENT, names.TOKEN_TYPE)
    stored = [turn["usage"] for turn in seen.stored if turn["usage"] is not None]

    for name in ("chat-0", "chat-1"):
        (sums,) = [sums for key, sums in seen.account["deployments"].items() if key.endswith(f"/{name}")]
        assert tokens.get((name, "output"), 0) == sums["output_tokens"]
    for kind in ("input", "output"):
        counted = sum(count for (_, found), count in tokens.items() if found == kind)
        assert counted == sum(usage[f"{kind}_tokens"] for usage in stored)
        assert counted == sum(row["customMeasurements"][f"{kind}_tokens"] for row in answered)
    spent = sum(seen.total(names.SPEND, names.TENANT).values())
    assert spent == pytest.approx(sum(row["customMeasurements"][names.COST] for row in answered))
    assert set(seen.total(names.SPEND, names.TENANT)) == {"contoso", "fabrikam"}


def test_every_turn_that_is_over_is_one_event_and_one_count_with_its_outcome(seen: Seen) -> None:
    over = Counter((turn["state"], turn["lane"], turn["tenant"]) for turn in seen.stored)
    events = seen.of("customEvents", name=names.EVENT_TURN)

    assert Counter(value_of(row, names.TURN_ID) for row in events) == Counter(turn["id"] for turn in seen.stored)
    assert Counter(tuple(value_of(row, n) for n in (names.OUTCOME, names.LANE, names.TENANT)) for row in events) == over
    assert seen.total(names.TURNS, names.OUTCOME, names.LANE, names.TENANT) == over
    assert {state for state, *_ in over} == {"succeeded", "failed", "cancelled"}


def test_percentiles_can_be_taken_of_the_measurements_of_every_answered_turn(seen: Seen) -> None:
    for row in seen.of("customEvents", name=names.EVENT_TURN, **{names.OUTCOME: "succeeded"}):
        numbers = row["customMeasurements"]
        stages = sum(value for name, value in numbers.items() if name in {f"{s}_ms" for s in STAGES})
        assert 0 < numbers[names.TIME_TO_FIRST_TOKEN_MS] <= numbers[names.TOTAL_MS]
        assert stages <= numbers[names.TOTAL_MS] + 1
        assert numbers[names.TIME_BETWEEN_TOKENS_MS] > 0
    (run,) = seen.turn("dependencies", "queued", names.SPAN_RUN)
    assert run["customMeasurements"][names.QUEUE_WAIT_MS] >= 0
    assert {"dispatch_ms", "connect_ms", "first_token_ms", "store_ms"} <= set(run["customMeasurements"])


def test_the_queries_of_the_reference_answer_and_every_measurement_is_in_it(seen: Seen) -> None:
    measured = {name for table in TABLES for row in seen.rows[table] for name in row["customMeasurements"]}

    assert len(seen.answers) == 2
    assert all(seen.answers)
    assert [name for name in measured if f"`{name}`" not in REFERENCE] == []


def test_what_happened_besides_is_counted(seen: Seen) -> None:
    deferrals = sum(turn["copies"] for turn in seen.stored)

    assert sum(seen.total(names.DEFERRED, names.LANE).values()) == deferrals > 0
    assert seen.total(names.DEAD_LETTERS, names.LANE) == {"batch": 1}
    assert sum(seen.total(names.REQUESTS, names.OUTCOME).values()) == len(seen.stored)
    assert seen.total(names.RELAY_SENDS, names.OUTCOME)["delivered"] > 0


def test_nothing_is_sampled_and_nothing_is_exported_twice(seen: Seen) -> None:
    requests = Counter(row["name"].partition(" ")[0] for row in seen.rows["requests"] if row["resultCode"] != "0")

    assert {row["itemCount"] for table in TABLES for row in seen.rows[table]} == {1}
    assert dict(requests) == dict(seen.sent)
    for table in ("requests", "dependencies"):
        assert Counter(row["id"] for row in seen.rows[table]).most_common(1)[0][1] == 1
    lines = Counter((row["timestamp"], row["message"]) for row in seen.rows["traces"])
    assert lines.most_common(1)[0][1] == 1
    assert {row["type"] for row in seen.rows["dependencies"]} == {"GenAI | azure.ai.openai", "InProc"}


def test_log_lines_carry_their_action_and_the_turn(seen: Seen) -> None:
    (line,) = seen.of("traces", action="fail_turn", turn_id=seen.turns["filtered"])

    assert value_of(line, "code") == "content_filtered"
    assert line["operation_Id"] == seen.turn("dependencies", "filtered", names.SPAN_RUN)[0]["operation_Id"]


def test_neither_words_of_a_conversation_nor_keys_are_in_any_telemetry(seen: Seen) -> None:
    everything = json.dumps(seen.rows, ensure_ascii=False).lower()
    sentences = {part.strip().lower() for text in seen.texts for part in re.split(r"[.!?\n]", text)}
    words = {sentence for sentence in sentences if len(sentence) > 12} | {"hippogriff"}
    keys = {USER, OPERATOR, OTHER, STORE_KEY, "local-openai-key", "SAS_KEY_VALUE"}

    assert seen.turns["direct"] in everything, "the search finds what is there"
    assert len(words) > 5
    assert [word for word in words if word in everything] == []
    assert [key for key in keys if key.lower() in everything] == []


OFFLINE = """
import json, sys
from pathlib import Path
from tests.acceptance.offline import attempts_to_leave, loopback_up
from tests.acceptance.stack import Stack, ask
from tests.contract.insights.client import Insights

loopback_up()
before, stack = attempts_to_leave(), Stack(Path(sys.argv[1]), insights=True)
try:
    stack.start()
    with stack.client() as client:
        ends = [ask(client, "Hello", lane=lane).names[-1] for lane in ("interactive", "standard")]
    stack.parts["app"].stop()
    told = Insights(stack.parts["insights"].url).rows("customEvents | where name == 'spillway.turn' | count")
finally:
    stack.stop()
print(json.dumps({"ends": ends, "told": told, "attempts": attempts_to_leave() - before}))
"""


def test_telemetry_makes_no_attempt_to_leave_loopback(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode != 0:
        pytest.skip("network namespaces cannot be made here")
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-c", OFFLINE, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"ends": ["done", "done"], "told": [[2]], "attempts": 0}
