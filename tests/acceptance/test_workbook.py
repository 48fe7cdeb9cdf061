"""The workbook's queries, run by the app's own route over telemetry of a whole run: their numbers are what happened."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from evals.stack import JudgedStack
from shared.telemetry import names
from shared.workbook.document import load
from tests.acceptance.evaluation.support import GATES, GOLDEN, ended, start
from tests.acceptance.stack import OPERATOR, USER
from tests.acceptance.test_telemetry import SETTINGS, Seen, as_rows, drive, value_of
from tests.acceptance.workbook_story import RATINGS, Story, arrived, refuse, wait_for
from tests.contract.insights.client import Insights

TABLES = ("requests", "dependencies", "traces", "customEvents", "customMetrics")
PRICE = {"input": 0.15e-6, "output": 0.6e-6}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    settings = {**SETTINGS, "SPILLWAY_SAMPLE_SHARE": "1"}
    stack = JudgedStack(tmp_path_factory.mktemp("workbook"), insights=True, durable=False, settings=settings)
    seen = Seen()
    try:
        stack.start()
        stack.seed()
        with stack.client(OPERATOR) as operator, stack.client() as client:
            # First, for the run below ends with deployments that cool for half a minute.
            run = ended(operator, start(operator, GOLDEN[:2], gates=GATES[:1]))
            drive(stack, seen)
            for name, rating in RATINGS.items():
                client.post(f"/api/chat/{seen.turns[name]}/feedback", json={"rating": rating}).raise_for_status()
            refused = refuse(stack)
            insights = Insights(stack.parts["insights"].url)
            wait_for(lambda: arrived(stack, insights), "the arrival of the telemetry")
            seen.stored = stack.turns()
            seen.account = httpx2.get(f"{stack.parts['model'].url}/_sim/account").json()
            seen.rows = {table: as_rows(insights, table) for table in TABLES}
            insights.close()
            yield Story(stack, seen, operator, refused, run["decision"])
    finally:
        stack.stop()


def percentile(values: list[float], level: float) -> float:
    return sorted(values)[math.ceil(level / 100 * len(values)) - 1]


@pytest.mark.parametrize("name", sorted(load().queries))
def test_every_query_answers(story: Story, name: str) -> None:
    slowest = story.ask("latency-slowest")[0]

    rows = story.ask(name, Measure="answered", Trace=slowest["Trace"])

    quiet = {"quality-alarms", "quality-faults"}
    assert bool(rows) == (name not in quiet)


def test_turns_and_lanes_are_those_of_the_store(story: Story) -> None:
    over = Counter(turn["state"] for turn in story.seen.stored)
    lanes = defaultdict(Counter[str])
    for turn in story.seen.stored:
        lanes[turn["lane"]][turn["state"]] += 1
    shown: Counter[str] = Counter()
    for row in story.ask("overview-turns"):
        shown[row["outcome"]] += row["turns"]

    assert shown == over
    for row in story.ask("throughput-lanes"):
        counts = lanes[row["Lane"]]
        assert (row["Answered"], row["Failed"], row["Cancelled"]) == (
            counts["succeeded"],
            counts["failed"],
            counts["cancelled"],
        )
        assert row["Accepted"] == counts.total()
    waiting = {row["lane"]: row["waiting"] for row in story.ask("throughput-backlog")}
    assert set(waiting.values()) == {0.0}


def test_the_filters_filter(story: Story) -> None:
    turns = story.seen.stored

    def ended_turns(**parameters: Any) -> float:
        return float(sum(row["turns"] for row in story.ask("overview-turns", **parameters)))

    assert ended_turns(Tenant=["fabrikam"]) == sum(turn["tenant"] == "fabrikam" for turn in turns) > 0
    assert ended_turns(Lane=["batch", "standard"]) == sum(turn["lane"] in {"batch", "standard"} for turn in turns) > 0
    assert ended_turns(Tenant=["') or true or ('"]) == 0
    assert ended_turns(TimeRange={"startTime": "2020-01-01T00:00:00Z", "endTime": "2020-01-02T00:00:00Z"}) == 0
    assert {row["Deployment"] for row in story.ask("throughput-deployments", Deployment=["chat-1"])} == {"chat-1"}


def test_calls_and_429s_are_those_of_the_models_account(story: Story) -> None:
    rows = {row["Deployment"]: row for row in story.ask("throughput-deployments")}
    throttled: Counter[str] = Counter()
    for row in story.ask("throughput-throttled"):
        throttled[row["series"].partition(", ")[0]] += row["calls"]

    for key, sums in story.seen.account["deployments"].items():
        name = key.partition("/")[2]
        if name.startswith("chat-"):
            refused = sum(count for outcome, count in sums["outcomes"].items() if outcome.endswith("_429"))
            assert (rows[name]["Calls"], rows[name]["429s"], throttled[name]) == (sums["calls"], refused, refused)
            assert rows[name]["429 share"] == pytest.approx(100 * refused / sums["calls"])


def test_refusals_at_the_door_are_those_that_callers_got(story: Story) -> None:
    (row,) = story.ask("throughput-refusals")

    assert story.refused > 0
    assert (row["Lane"], row["Reason"], row["Refused"]) == ("standard", "capacity_exhausted", story.refused)


def test_the_error_budget_counts_what_the_service_did_wrong(story: Story) -> None:
    states = Counter(turn["state"] for turn in story.seen.stored)
    filtered = sum((turn["error"] or {}).get("code") == "content_filtered" for turn in story.seen.stored)
    bad = states["failed"] + states["expired"] - filtered + story.refused

    (tile,) = story.ask("overview-service", Objective="99.9")
    (lax,) = story.ask("overview-service", Objective="1")

    turns = states["succeeded"] + bad
    assert filtered == 1
    assert tile["note"] == f"30 days, objective 99.9 %, {bad} bad of {turns}"
    assert (tile["value"], tile["state"]) == ("used up", "bad")
    assert float(lax["value"].removesuffix(" %")) == pytest.approx(100 * (1 - bad / turns / 0.99), abs=0.06)


def test_the_last_verdict_is_that_of_the_evaluation(story: Story) -> None:
    (tile,) = story.ask("overview-verdict")

    assert tile["value"] == story.decision
    assert tile["state"] == {"GO": "good", "HOLD": "warn", "NO-GO": "bad"}[story.decision]


def test_percentiles_are_those_of_the_single_turns_and_calls(story: Story) -> None:
    answered = story.of("customEvents", names.EVENT_TURN, **{names.OUTCOME: "succeeded"})
    first = [row["customMeasurements"][names.TIME_TO_FIRST_TOKEN_MS] for row in answered]
    answers, latency = story.ask("overview-answers")
    stages = {row["Stage"][3:].replace(" ", "_"): row for row in story.ask("latency-stages")}
    calls = {row["Deployment"]: row for row in story.ask("latency-deployments")}

    assert answers["value"] == str(len(answered))
    assert latency["value"] == f"{round(percentile(first, 95) / 1000, 2)} s"
    for stage in ("queue", "first_token", "stream"):
        values = [
            row["customMeasurements"][f"{stage}_ms"] for row in answered if f"{stage}_ms" in row["customMeasurements"]
        ]
        assert (stages[stage]["p50, ms"], stages[stage]["p95, ms"]) == (percentile(values, 50), percentile(values, 95))
        assert stages[stage]["Took, ms"] == pytest.approx(sum(values) / len(answered))
    for name, row in calls.items():
        own = story.of("dependencies", f"chat {name}" if name == "judge" else "chat gpt-4o-mini")
        good = [one for one in own if value_of(one, names.DEPLOYMENT) == name and one["success"]]
        waits = [one["customMeasurements"][names.TIME_TO_FIRST_TOKEN_MS] for one in good]
        assert (row["Calls"], row["First token p95, ms"]) == (len(good), percentile(waits, 95))


def test_waits_and_first_tokens_by_lane_count_from_where_the_caller_sent_it(story: Story) -> None:
    answered = story.of("customEvents", names.EVENT_TURN, **{names.OUTCOME: "succeeded"})

    for row in story.ask("latency-lanes"):
        own = [one["customMeasurements"] for one in answered if value_of(one, names.LANE) == row["Lane"]]
        felt = [m[names.TIME_TO_FIRST_TOKEN_MS] + m.get("client_send_ms", 0) + m.get("front_end_ms", 0) for m in own]
        waits = [all_ms - m["connect_ms"] - m["first_token_ms"] for all_ms, m in zip(felt, own, strict=True)]
        assert row["Answers"] == len(own)
        for level in (50, 95, 99):
            assert row[f"First token p{level}, s"] == pytest.approx(percentile(felt, level) / 1000)
            assert row[f"Wait p{level}, s"] == pytest.approx(percentile(waits, level) / 1000)


def test_the_slowest_turn_leads_to_its_trace(story: Story) -> None:
    totals = {value_of(row, names.TURN_ID): row for row in story.of("customEvents", names.EVENT_TURN)}
    slowest = max(totals, key=lambda turn: totals[turn]["customMeasurements"][names.TOTAL_MS])

    first = story.ask("latency-slowest")[0]
    steps = story.ask("latency-trace", Trace=first["Trace"])

    assert (first["Turn"], first["Trace"]) == (slowest, totals[slowest]["operation_Id"])
    assert steps[0]["Step"] in {row["name"] for row in story.seen.rows["requests"]}
    # One that was cancelled belongs to the request that cancelled it, which runs nothing.
    ran = value_of(totals[slowest], names.OUTCOME) != "cancelled"
    assert ran == ("spillway.run" in {step["Step"] for step in steps})
    assert [step["Starts after, ms"] for step in steps] == sorted(step["Starts after, ms"] for step in steps)


def test_scores_defects_and_drift_count_every_result(story: Story) -> None:
    results = story.of("customEvents", "gen_ai.evaluation.result")
    scored: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for row in results:
        measure = value_of(row, "gen_ai.evaluation.name")
        scored[measure] += value_of(row, "gen_ai.evaluation.score.value") is not None
        failed[measure] += value_of(row, "gen_ai.evaluation.score.label") == "fail"

    measures = {row["Measure"]: row for row in story.ask("quality-measures")}
    defects = {row["Measure"]: row["Defects"] for row in story.ask("quality-defects")}
    drift: Counter[str] = Counter()
    for row in story.ask("quality-drift"):
        drift[row["Stream"].partition(", ")[0]] += row["Baseline scores"] + row["Scores since"]
    values = [
        float(v)
        for row in results
        if value_of(row, "gen_ai.evaluation.name") == "answered"
        and (v := value_of(row, "gen_ai.evaluation.score.value"))
    ]

    assert {name: row["Scored"] for name, row in measures.items()} == scored
    assert drift == +scored
    assert {name: failed[name] for name in defects} == defects
    assert measures["answered"]["Mean"] == pytest.approx(sum(values) / len(values))
    assert measures["answered"]["Lower bound"] < measures["answered"]["Mean"] < measures["answered"]["Upper bound"]


def test_feedback_is_what_callers_gave(story: Story) -> None:
    given: Counter[str] = Counter()
    for row in story.ask("quality-feedback"):
        given[row["rating"]] += row["ratings"]

    assert given == Counter(RATINGS.values())


def test_cost_follows_from_the_tokens_in_the_store(story: Story) -> None:
    cost: Counter[str] = Counter()
    for turn in story.seen.stored:
        if turn["usage"]:
            cost[turn["tenant"]] += sum(PRICE[kind] * turn["usage"][f"{kind}_tokens"] for kind in PRICE)
    shown: Counter[str] = Counter()
    for row in story.ask("cost-tenants"):
        shown[row["tenant"]] += row["cost"]
    tables = sum(row["Cost"] for row in story.ask("cost-models"))
    (today,) = story.ask("overview-cost")

    assert dict(shown) == pytest.approx(dict(cost))
    assert tables == pytest.approx(sum(cost.values()))
    assert today["value"] == str(round(sum(cost.values()), 4))


def test_wasted_tokens_are_what_no_answer_got(story: Story) -> None:
    for row in story.ask("cost-waste"):
        account = next(
            (s for key, s in story.seen.account["deployments"].items() if key.endswith(f"/{row['Deployment']}")), None
        )
        if account is not None:
            bad = sum(count for outcome, count in account["outcomes"].items() if outcome != "succeeded")
            assert (row["Calls"], row["Failed calls"]) == (account["calls"], bad)
            assert row["Wasted"] == 0
        else:
            assert row["Tokens reported"] == row["For evaluation"] > 0


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/console", 200, "text/html"),
        ("/api/console/", 200, "text/html"),
        ("/api/console/js/main.js", 200, "text/javascript"),
        ("/api/console/vendor/echarts.js", 200, "text/javascript"),
        ("/api/console/js", 404, "application/json"),
        ("/api/console/%2e%2e/%2e%2e/shared/settings.py", 404, "application/json"),
    ],
)
def test_the_shell_of_the_console_is_open_and_nothing_beside_the_pages_is(
    story: Story, path: str, status: int, kind: str
) -> None:
    with story.stack.client(None) as client:
        reply = client.get(path)

    assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (status, kind)


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 401), (USER, 403)])
def test_only_operators_ask(story: Story, key: str | None, status: int) -> None:
    with story.stack.client(key) as client:
        replies = [client.get("/api/workbook"), client.post("/api/workbook/queries/overview-turns", json={})]

    assert [reply.status_code for reply in replies] == [status, status]


@pytest.mark.parametrize(
    ("name", "body", "status", "says"),
    [
        ("nothing", {}, 404, "no such query"),
        ("overview-turns", {"query": "customEvents"}, 400, "query"),
        ("overview-turns", {"parameters": {"TimeRange": "ago(1d)"}}, 400, "TimeRange"),
        ("overview-service", {"parameters": {"Objective": "1; customEvents"}}, 400, "Objective"),
        ("latency-trace", {"parameters": {"Trace": '" or true or "'}}, 400, "Trace"),
        ("overview-turns", {"parameters": {str(n): n for n in range(21)}}, 400, "parameters"),
    ],
)
def test_nothing_but_the_workbooks_queries_with_values_is_run(
    story: Story, name: str, body: dict[str, Any], status: int, says: str
) -> None:
    reply = story.operator.post(f"/api/workbook/queries/{name}", json=body)

    assert reply.status_code == status
    assert says in reply.json()["error"]["message"]


def test_the_workbook_itself_is_told_with_what_can_be_done_with_it(story: Story) -> None:
    found = story.operator.get("/api/workbook").json()

    assert found == {"workbook": load().content, "queries": True, "portal_url": None}


def test_a_telemetry_service_that_is_away_is_said_so(story: Story) -> None:
    story.stack.parts["insights"].stop()

    reply = story.operator.post("/api/workbook/queries/overview-turns", json={})

    assert reply.status_code == 503
    assert "telemetry service does not answer" in reply.json()["error"]["message"]
