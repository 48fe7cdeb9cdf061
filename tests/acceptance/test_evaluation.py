"""Evaluation as operators meet it: runs through the queue on two processes, a judge that fails, worse prompts."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from azure.cosmos import CosmosClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from evals.__main__ import parser, run_from
from evals.client import gate_json, item_json
from evals.stack import JudgedStack
from shared.evaluating.views import EvaluationScoresReply, EvaluationsReply, EvaluationView, QualityReply
from shared.evaluation.datasets.own import read_own
from shared.evaluation.gates import load_gates
from shared.evaluation.records import Item
from shared.evaluation.sampling import SamplingPlan, draw
from tests.acceptance.stack import OPERATOR, OTHER, STORE_KEY
from tests.datasets import DEFAULT, folder

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = read_own(ROOT / "evals" / "golden" / "wallegpt.jsonl").items
GATES = [gate_json(gate) for gate in load_gates(ROOT / "evals" / "gates.toml").gates]
OVER = {"finished", "stopped", "cancelled"}
SHARE = 0.4
DATASETS = os.environ.get("SPILLWAY_DATASETS", DEFAULT)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JudgedStack]:
    stack = JudgedStack(
        tmp_path_factory.mktemp("evaluation"),
        settings={"SPILLWAY_SAMPLE_SHARE": str(SHARE), "SPILLWAY_DATASETS": str(DATASETS)},
        host_options=("--instances", "2"),
        durable=False,
        insights=True,
    )
    try:
        stack.start()
        stack.seed()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def operator(stack: JudgedStack) -> Iterator[httpx2.Client]:
    stack.judge_calm()
    with stack.client(OPERATOR) as client:
        yield client
    stack.judge_calm()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.1)


def start(client: httpx2.Client, items: Sequence[Item], headers: dict[str, str] | None = None, **body: Any) -> str:
    wish = {"items": [item_json(item) for item in items], **body}
    reply = client.post("/api/evaluations", json=wish, headers=headers or {})
    assert reply.status_code == 202, reply.text
    run = EvaluationView.model_validate(reply.json())
    assert reply.headers["location"] == f"/api/evaluations/{run.evaluation_id}"
    return run.evaluation_id


def ended(client: httpx2.Client, run_id: str, seconds: float = 90) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(client.get(f"/api/evaluations/{run_id}", params={"report": "false"}).json())
        return found["state"] in OVER

    wait_for(over, seconds)
    return found


def scores(client: httpx2.Client, run_id: str, limit: int = 97) -> list[dict[str, Any]]:
    found, after = list[dict[str, Any]](), ""
    while True:
        page = client.get(f"/api/evaluations/{run_id}/scores", params={"limit": limit, "after": after}).json()
        EvaluationScoresReply.model_validate(page)
        found += page["scores"]
        if "after" not in page:
            return found
        after = page["after"]


def documents(stack: JudgedStack, container: str, query: str) -> list[dict[str, Any]]:
    with CosmosClient(stack.parts["store"].url, credential=STORE_KEY) as store:
        found = store.get_database_client("spillway").get_container_client(container)
        return list(found.query_items(query, enable_cross_partition_query=True))


def test_30_items_on_two_processes_are_each_asked_once_and_scored_once_by_every_evaluator(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    before = len(stack.calls())
    run_id = start(operator, GOLDEN[:30], name="golden", gates=GATES)
    run = ended(operator, run_id)
    found = scores(operator, run_id)
    turns = [turn for turn in stack.turns() if turn["session_id"].startswith(f"evaluation-{run_id[:16]}")]

    assert (run["state"], run["progress"]) == ("finished", {"population": 30, "planned": 30, "done": 30})
    assert run["decision"] == "HOLD"
    assert any("only 30 of at least 100 items" in reason for reason in run["reasons"])
    assert Counter(score["evaluator"] for score in found) == dict.fromkeys(run["evaluators"], 30)
    assert {score["state"] for score in found} <= {"scored", "skipped"}
    assert len(stack.calls()) - before == len(turns) == 30
    assert {(turn["lane"], turn["state"], turn["run"]) for turn in turns} == {("batch", "succeeded", 1)}
    assert run["budget"]["judge_calls"] == sum(score["details"].get("judge_calls", 0) for score in found)


def test_every_score_is_one_event_in_application_insights(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:6], evaluators=["answered", "relevance", "injection"])
    ended(operator, run_id)
    names = "customEvents | where name == 'gen_ai.evaluation.result'"
    query = f"{names} and customDimensions['spillway.run'] == '{run_id}' | project customDimensions"

    def events() -> list[dict[str, str]]:
        url = f"{stack.parts['insights'].url}/v1/apps/local/query"
        (table,) = httpx2.get(url, params={"query": query}).json()["tables"]
        return [json.loads(row[0]) for row in table["rows"]]

    wait_for(lambda: len(events()) >= 12, 30)
    found = events()

    assert Counter(event["gen_ai.evaluation.name"] for event in found) == {"answered": 6, "relevance": 6}
    assert {event["gen_ai.evaluation.score.label"] for event in found} <= {"pass", "fail"}
    assert not [event for event in found if "gen_ai.evaluation.explanation" in event]
    texts = json.dumps(found)
    assert not [item for item in GOLDEN[:6] if item.question in texts]


def test_a_run_is_read_as_json_or_as_a_page_and_listed(operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:5], name="read <me>", gates=GATES, evaluators=["answered", "similarity"])
    ended(operator, run_id)

    found = operator.get(f"/api/evaluations/{run_id}").json()
    page = operator.get(f"/api/evaluations/{run_id}", headers={"accept": "text/html"})
    listed = EvaluationsReply.model_validate(operator.get("/api/evaluations").json())

    EvaluationView.model_validate(found)
    assert found["report"]["decision"] == "HOLD"
    assert found["report"]["evaluators"]["answered"]["states"] == {"scored": 5, "skipped": 0, "judge_error": 0}
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "HOLD" in page.text
    assert "read &lt;me&gt;" in page.text
    assert listed.evaluations[0].evaluation_id == run_id


def test_only_operators_evaluate_and_only_their_own_tenant(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:1], evaluators=["answered"])
    with stack.client() as user, stack.client(OTHER) as stranger:
        refused = [user.get(path).status_code for path in ("/api/evaluations", f"/api/evaluations/{run_id}")]
        assert user.post("/api/evaluations", json={}).status_code == 403
        assert stranger.get(f"/api/evaluations/{run_id}").status_code == 403

    assert refused == [403, 403]
    unknown = operator.get(f"/api/evaluations/{'0' * 32}")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "evaluation_not_found")
    ended(operator, run_id)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "give items, or a suite"),
        ({"items": [{"id": "a", "question": " "}]}, "must not be blank"),
        ({"items": [{"id": "a", "question": "x"}, {"id": "a", "question": "y"}]}, "two have the same id"),
        ({"items": [{"id": "a b", "question": "x"}]}, "items.0.id"),
        ({"items": [{"id": "a", "question": "x"}], "evaluators": ["taste"]}, "taste is none of"),
        ({"items": [{"id": "a", "question": "x"}], "model": "gpt-9"}, "choose one of"),
        ({"suite": "mmlu", "items": [{"id": "a", "question": "x"}]}, "either items or suite"),
        (
            {"items": [{"id": "a", "question": "x"}], "gates": [{**GATES[0], "statistic": "mean"}]},
            "a hard gate bounds a defect_rate",
        ),
    ],
)
def test_a_wrong_wish_is_refused_with_the_reason(operator: httpx2.Client, body: dict[str, Any], says: str) -> None:
    reply = operator.post("/api/evaluations", json=body)

    assert reply.status_code == 400
    assert says in reply.json()["error"]["message"]


def test_the_same_key_gives_the_same_run_and_a_different_wish_under_it_is_refused(operator: httpx2.Client) -> None:
    key = {"Idempotency-Key": f"once-{time.time_ns()}"}
    first = start(operator, GOLDEN[:3], headers=key, evaluators=["answered"])
    second = start(operator, GOLDEN[:3], headers=key, evaluators=["answered"])
    third = operator.post("/api/evaluations", json={"items": [item_json(GOLDEN[9])]}, headers=key)

    assert first == second
    assert third.status_code == 409
    ended(operator, first)
    assert len(scores(operator, first)) == 3


def test_a_sample_of_items_sent_in_batches_depends_on_the_seed_alone(operator: httpx2.Client) -> None:
    drawn = []
    for sizes in ((20, 20), (5, 35)):
        wish = {"complete": False, "sample_size": 6, "seed": 7, "evaluators": ["answered"]}
        run_id = operator.post("/api/evaluations", json=wish).json()["evaluation_id"]
        begin = 0
        for number, size in enumerate(sizes):
            items = [item_json(item) for item in GOLDEN[begin : begin + size]]
            body = {"items": items, "complete": number == len(sizes) - 1}
            assert operator.post(f"/api/evaluations/{run_id}/items", json=body).status_code == 202
            begin += size
        late = operator.post(f"/api/evaluations/{run_id}/items", json={"items": [item_json(GOLDEN[50])]})
        run = ended(operator, run_id)
        assert (late.status_code, late.json()["error"]["code"]) == (409, "evaluation_closed")
        assert run["progress"] == {"population": 40, "planned": 6, "done": 6}
        drawn.append({score["item_id"] for score in scores(operator, run_id)})

    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 6


def test_unusable_replies_are_repaired_once_and_then_counted_apart(stack: JudgedStack, operator: httpx2.Client) -> None:
    items = GOLDEN[:12]
    for kind, item in zip(("prose", "fence", "out_of_range", "nothing"), items, strict=False):
        stack.judge_fault(kind=kind, item=item.question, evaluator="relevance", count=1)
    for kind, item in zip(("prose", "out_of_range", "nothing"), items[4:], strict=False):
        stack.judge_fault(kind=kind, item=item.question, evaluator="relevance", count=2)
    run_id = start(operator, items, evaluators=["relevance", "coherence"])
    run = ended(operator, run_id)
    found = {(score["item_id"], score["evaluator"]): score for score in scores(operator, run_id)}

    relevance = [found[item.item_id, "relevance"] for item in items]
    assert run["state"] == "finished"
    assert [score["state"] for score in relevance] == ["scored"] * 4 + ["judge_error"] * 3 + ["scored"] * 5
    assert [score["details"].get("judge_calls") for score in relevance[:4]] == [2] * 4
    assert all(score["value"] is None and score["passed"] is None for score in relevance[4:7])
    assert {found[item.item_id, "coherence"]["state"] for item in items} == {"scored"}
    assert all(1 <= score["value"] <= 5 for score in found.values() if score["state"] == "scored")


def test_a_judge_out_of_quota_for_a_moment_delays_scores_and_loses_none(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    stack.judge_fault(kind="quota", count=8, retry_after_ms=400)
    run_id = start(operator, GOLDEN[:12], evaluators=["relevance", "coherence"])
    run = ended(operator, run_id)
    refused = [call for call in stack.judge_calls() if call["fault"] == "quota"]

    assert run["state"] == "finished"
    assert refused
    assert Counter(score["state"] for score in scores(operator, run_id)) == {"scored": 24}


def test_a_judge_out_of_quota_for_long_is_a_judge_error_and_the_run_ends(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    stack.judge_fault(kind="quota", item=GOLDEN[0].question, retry_after_ms=100)
    run_id = start(operator, GOLDEN[:1], evaluators=["relevance"])
    run = ended(operator, run_id)
    found = scores(operator, run_id)

    assert run["state"] == "finished"
    assert [score["state"] for score in found] == ["judge_error"]
    assert run["budget"]["cost_usd"] == 0


def test_a_budget_of_judge_calls_is_never_exceeded_and_ends_the_run(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    before = len(stack.judge_calls())
    run_id = start(operator, GOLDEN[:20], evaluators=["relevance", "coherence"], max_judge_calls=15)
    run = ended(operator, run_id)

    assert (run["state"], run["stopped"]) == ("stopped", "the budget for judges is used up")
    assert 0 < len(stack.judge_calls()) - before <= 15
    assert run["budget"]["judge_calls"] == len(stack.judge_calls()) - before


def test_a_cancelled_run_stops_asking_and_its_turns_end(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:60], evaluators=["answered"])
    wait_for(lambda: operator.get(f"/api/evaluations/{run_id}").json()["state"] == "running")
    reply = operator.delete(f"/api/evaluations/{run_id}")
    again = operator.delete(f"/api/evaluations/{run_id}")

    def open_turns() -> list[str]:
        mine = [turn for turn in stack.turns() if turn["session_id"].startswith(f"evaluation-{run_id[:16]}")]
        return [turn["state"] for turn in mine if turn["state"] in {"accepted", "queued", "running", "deferred"}]

    assert (reply.status_code, reply.json()["state"]) == (200, "cancelled")
    assert again.json()["state"] == "cancelled"
    wait_for(lambda: not open_turns(), 30)


def test_a_message_delivered_again_after_the_end_changes_nothing(stack: JudgedStack, operator: httpx2.Client) -> None:
    run_id = start(operator, GOLDEN[:2], evaluators=["relevance"])
    ended(operator, run_id)
    before, calls = scores(operator, run_id), len(stack.judge_calls())
    for item in GOLDEN[:2]:
        send(stack, {"work": "item", "run": run_id, "subject": item.item_id})
    send(stack, {"work": "plan", "run": run_id, "subject": ""})
    settle(stack)

    assert scores(operator, run_id) == before
    assert len(stack.judge_calls()) == calls


def test_the_command_line_writes_results_and_a_scorecard_and_ends_with_the_verdicts_code(
    stack: JudgedStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--url", stack.url, "--key", OPERATOR, "--sample", "5", "--results", str(tmp_path)]
    code = run_from(parser().parse_args([*options, "--accept", str(tmp_path / "baseline.jsonl")]))
    again = run_from(parser().parse_args([*options, "--baseline", str(tmp_path / "baseline.jsonl")]))
    told = capsys.readouterr().out

    assert (code, again) == (2, 2)
    assert "HOLD" in told
    assert "not compared with the baseline" not in told
    written = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert written["decision"] == "HOLD"
    assert len({score["item_id"] for score in written["scores"]}) == 10
    assert "HOLD" in next(tmp_path.glob("*.html")).read_text()


@pytest.mark.datasets
def test_a_public_test_set_is_asked_by_name_and_reports_its_numbers(operator: httpx2.Client) -> None:
    folder("xstest")
    reply = operator.post("/api/evaluations", json={"suite": "xstest", "sample_size": 12, "seed": 3})
    run = ended(operator, reply.json()["evaluation_id"])
    found = operator.get(f"/api/evaluations/{run['evaluation_id']}").json()

    assert run["progress"] == {"population": 450, "planned": 12, "done": 12}
    assert run["dataset"].startswith("xstest ")
    assert [estimate["metric"] for estimate in found["report"]["estimates"]] == ["over-refusal", "under-refusal"]
    assert sum(estimate["scored"] for estimate in found["report"]["estimates"]) == 12


def test_production_turns_are_picked_by_their_session_scored_once_and_summed_up(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    plan = SamplingPlan("spillway", base_rate=SHARE)
    sessions = [f"shopper-{number}" for number in range(30)]
    with stack.client() as client:
        turns = {
            session: client.post("/api/chat", json={"message": item.question, "session_id": session}).json()["turn_id"]
            for session, item in zip(sessions, GOLDEN, strict=False)
        }
    expected = {turn for session, turn in turns.items() if draw(plan, session).drawn}

    def samples() -> dict[str, dict[str, Any]]:
        found = documents(stack, "evaluations", "SELECT * FROM c WHERE c.kind = 'sample'")
        return {sample["turn_id"]: sample for sample in found if sample["turn_id"] in turns.values()}

    wait_for(lambda: sum(sample["state"] == "scored" for sample in samples().values()) == len(expected))
    assert 0 < len(expected) < 30
    assert set(samples()) == expected
    assert {sample["probability"] for sample in samples().values()} == {SHARE}

    replayed = next(iter(expected))
    kept = samples()[replayed]
    details = {name: kept[name] for name in ("probability", "strata", "prompt_version", "hour")}
    calls = len(stack.judge_calls())
    send(stack, {"work": "turn", "run": kept["run"], "subject": replayed, "details": details})
    settle(stack)
    assert len(stack.judge_calls()) == calls

    found = documents(stack, "evaluations", f"SELECT * FROM c WHERE c.kind = 'score' AND c.answer_id = '{replayed}'")
    assert max(Counter(score["evaluator"] for score in found).values()) == 1
    assert not any(score["question"] or score["answer"] or score["reason"] for score in found)

    unpicked = next(turn for turn in turns.values() if turn not in expected)
    with stack.client() as client:
        assert client.post(f"/api/chat/{unpicked}/feedback", json={"rating": "down"}).status_code == 200
    wait_for(lambda: samples().get(unpicked, {}).get("state") == "scored")
    assert samples()[unpicked]["probability"] == 1.0

    httpx2.post(f"{stack.url}/admin/functions/roll_up_scores", json={}).raise_for_status()

    def rolled_up() -> list[dict[str, Any]]:
        body = operator.get("/api/quality").json()
        QualityReply.model_validate(body)
        return [entry for entry in body["roll_ups"] if entry["evaluator"] == "answered"]

    every = documents(stack, "evaluations", "SELECT * FROM c WHERE c.kind = 'sample' AND c.state = 'scored'")
    # The timer may have summed up an earlier state meanwhile; the one asked for here has them all.
    wait_for(lambda: sum(entry["scored"] for entry in rolled_up()) == len(every))
    summed = rolled_up()
    assert sum(entry["turns"] for entry in summed) == pytest.approx(sum(1 / one["probability"] for one in every))
    assert {entry["mean"] for entry in summed} == {1.0}


# The app keeps the worse prompt, so this is the last test on the stack.
def test_a_prompt_that_hides_the_sources_of_one_topic_loses_on_that_topic(
    stack: JudgedStack, operator: httpx2.Client
) -> None:
    topics = {tag: [item for item in GOLDEN if tag in item.tags][:25] for tag in ("product", "policy")}
    items = list(dict.fromkeys(item.item_id for tag in topics.values() for item in tag))
    asked = [item for item in GOLDEN if item.item_id in items]
    gates = [gate for gate in GATES if gate["name"] == "right answers"]
    good = start(operator, asked, name="accepted", evaluators=["answered", "similarity"])
    ended(operator, good)

    decoys = "\n\n".join(
        f"[source: faq-{n}] {item.question}\n{item.question} A colleague answers {item.question}"
        for n, item in enumerate(topics["policy"])
    )
    stack.settings["SPILLWAY_SYSTEM_PROMPT"] = f"You help customers of a shop.\n\n{decoys}"
    stack.parts["app"].stop()
    stack.start_app()
    wish = {"name": "candidate", "evaluators": ["answered", "similarity"], "gates": gates, "baseline_run": good}
    run = ended(operator, start(operator, asked, **wish))

    worse = [reason for reason in run["reasons"] if "worse than the baseline" in reason]
    assert run["decision"] in {"HOLD", "NO-GO"}
    assert any(reason.startswith("right answers [policy]: worse than the baseline") for reason in worse)
    assert not [reason for reason in worse if "[product]" in reason]


def send(stack: JudgedStack, body: dict[str, Any]) -> None:
    """Puts a message into the queue as a broker does that delivers one again."""
    message = {"v": 1, "sent_at": time.time(), "copy": "again", "details": {}, **body}
    with (
        ServiceBusClient.from_connection_string(stack.environment()["ServiceBusConnection"]) as client,
        client.get_queue_sender("evaluations") as sender,
    ):
        sender.send_messages(ServiceBusMessage(json.dumps(message), message_id=f"again-{time.time_ns()}"))


def settle(stack: JudgedStack) -> None:
    """Waits until the queue of evaluation work is empty."""
    with (
        ServiceBusClient.from_connection_string(stack.environment()["ServiceBusConnection"]) as client,
        client.get_queue_receiver("evaluations") as receiver,
    ):
        wait_for(lambda: not receiver.peek_messages(1), 30)


def test_a_worker_killed_in_mid_run_costs_no_item_and_scores_none_twice(tmp_path: Path) -> None:
    stack = JudgedStack(
        tmp_path,
        lock="PT5S",
        settings={"SPILLWAY_LEASE_SECONDS": "3", "SPILLWAY_CHECKPOINT_SECONDS": "0.5"},
        host_options=("--instances", "2"),
        durable=False,
    )
    try:
        stack.start()
        stack.seed()
        with stack.client(OPERATOR) as operator:
            run_id = start(operator, GOLDEN[:30], evaluators=["answered", "relevance", "similarity"])
            seen = len(stack.judge_calls())
            wait_for(lambda: len(stack.judge_calls()) > seen + 5)
            assert operator.get(f"/api/evaluations/{run_id}").json()["progress"]["done"] < 30
            os.kill(stack.parts["app"].ready["instances"][0]["pid"], signal.SIGKILL)
        # The store is asked rather than the app: the killed instance held the connection.
        query = f"SELECT VALUE c.state FROM c WHERE c.kind = 'run' AND c.run = '{run_id}'"
        wait_for(lambda: documents(stack, "evaluations", query) == ["finished"], 90)
        with stack.client(OPERATOR) as operator:
            run = ended(operator, run_id)
            found = scores(operator, run_id)
        turns = stack.turns()
    finally:
        stack.stop()

    assert (run["state"], run["progress"]["done"]) == ("finished", 30)
    assert Counter(score["evaluator"] for score in found) == {"answered": 30, "relevance": 30, "similarity": 30}
    assert {score["state"] for score in found} == {"scored"}
    assert len(turns) == 30
    assert {turn["state"] for turn in turns} == {"succeeded"}
