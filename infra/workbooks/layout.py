"""What the workbook shows, tab by tab. Each query is a file in `queries/`."""

import json
from typing import Any, Final

from infra.workbooks.items import (
    DAY_MS,
    Item,
    chart,
    choice,
    grid,
    group,
    parameter,
    parameters,
    query_text,
    tabs,
    text,
    tiles,
)
from shared.lanes import Lane

SCHEMA: Final = "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json"
TABS: Final = {
    "overview": "Overview",
    "throughput": "Throughput",
    "latency": "Latency",
    "quality": "Quality and responsible AI",
    "cost": "Cost",
}
HOUR_MS: Final = 3_600_000
TIME_RANGES: Final = [
    HOUR_MS // 2,
    HOUR_MS,
    4 * HOUR_MS,
    12 * HOUR_MS,
    *(days * DAY_MS for days in (1, 2, 3, 7, 14, 30)),
]
OUTCOMES: Final = {"succeeded": "green", "failed": "redBright", "expired": "orange", "cancelled": "gray"}


def workbook() -> dict[str, Any]:
    """The whole workbook as its JSON value."""
    return {
        "version": "Notebook/1.0",
        "items": [
            text("title", "## Spillway\nIs it well, is it fast, is it good, and what does it cost?"),
            _filters(),
            tabs(TABS),
            group("overview", _overview()),
            group("throughput", _throughput()),
            group("latency", _latency()),
            group("quality", _quality()),
            group("cost", _cost()),
        ],
        "fallbackResourceIds": ["Azure Monitor"],
        "$schema": SCHEMA,
    }


def _filters() -> Item:
    resource = parameter(
        "Resource",
        "Application Insights",
        5,
        isRequired=True,
        query="where type =~ 'microsoft.insights/components'\n| project id",
        crossComponentResources=["value::all"],
        typeSettings={
            "resourceTypeFilter": {"microsoft.insights/components": True},
            "additionalResourceOptions": ["value::1"],
        },
        value="value::1",
        queryType=1,
        resourceType="microsoft.resourcegraph/resources",
    )
    time = parameter(
        "TimeRange",
        "Time range",
        4,
        isRequired=True,
        value={"durationMs": HOUR_MS},
        typeSettings={
            "selectableValues": [{"durationMs": duration} for duration in TIME_RANGES],
            "allowCustom": True,
        },
    )
    lanes = json.dumps([{"value": lane, "label": lane} for lane in Lane])
    return parameters(
        "filters",
        [
            resource,
            time,
            choice("Tenant", "Tenant", several=True, query=query_text("parameter-tenant")),
            choice("Deployment", "Deployment", several=True, query=query_text("parameter-deployment")),
            choice("Lane", "Lane", several=True, jsonData=lanes),
            parameter("Objective", "Availability objective, %", 1, isRequired=True, value="99.9"),
            parameter("FirstTokenTarget", "First token target, s", 1, isRequired=True, value="2"),
        ],
    )


def _overview() -> list[Item]:
    return [
        tiles("overview-service", "Is it well?", width=20, days=30),
        tiles("overview-answers", "Answers", width=40),
        tiles("overview-verdict", "Is it good?", width=20, days=30),
        tiles("overview-cost", "What does it cost?", width=20, days=1),
        chart("overview-turns", "Turns that ended", "barchart", colours=OUTCOMES, width=60),
        grid("overview-attention", "What the app warned of", bars=["Times"], width=40),
        text(
            "overview-words",
            "**Error budget**: of 30 days of turns, how many more may go wrong before the objective is missed. A "
            "turn goes wrong when it fails, expires, or is refused because all capacity is taken; what callers "
            "cancel, ask wrongly or have filtered does not count. **Last evaluation**: the verdict over the "
            "golden questions, GO, HOLD or NO-GO.",
        ),
    ]


def _throughput() -> list[Item]:
    shares = {"429 share": 1, "Mean retry-after, s": 1, "Tokens": 0}
    return [
        chart("throughput-turns", "Turns by lane and outcome", "barchart", width=50),
        chart("throughput-backlog", "Backlog: accepted and not ended since the range began", "linechart", width=50),
        grid("throughput-lanes", "Lanes", bars=["Answered"]),
        chart("throughput-age", "Age of lane messages when a worker takes them, p95 in seconds", width=50),
        chart("throughput-throttled", "429s by deployment and cause", "barchart", width=50),
        grid("throughput-deployments", "Deployments", bars=["Tokens"], digits=shares),
        chart("throughput-budget", "Tokens left of the quota, as the deployments say", width=50),
        grid("throughput-refusals", "Refused at the door", bars=["Refused"], width=50),
    ]


def _latency() -> list[Item]:
    stages = dict.fromkeys(("Starts after, ms", "Took, ms", "p50, ms", "p95, ms"), 1)
    pace = dict.fromkeys(("First token p50, ms", "First token p95, ms", "Longest pause, ms"), 0)
    seconds = {f"{what} p{level}, s": 3 for what in ("Wait", "First token") for level in (50, 95, 99)}
    pace |= dict.fromkeys(("Tokens a second p50", "Tokens a second, slowest 5 %"), 1)
    chosen = {"fieldName": "Trace", "parameterName": "Trace", "parameterType": 1}
    trace = grid(
        "latency-trace",
        "Where the time of the chosen turn went",
        bars=["Took, ms"],
        digits={"Starts after, ms": 1, "Took, ms": 1},
    )
    trace["conditionalVisibility"] = {"parameterName": "Trace", "comparison": "isNotEqualTo", "value": ""}
    return [
        chart("latency-first-token", "Time to first token, ms from accept", width=50),
        grid("latency-stages", "Where the time of the mean turn goes", bars=["Took, ms"], digits=stages, width=50),
        grid("latency-lanes", "Wait and first token by lane, as callers felt them", digits=seconds),
        grid("latency-deployments", "Deployments and regions", digits=pace),
        chart("latency-first-call", "First token of a call by deployment and region, p95 in ms", width=50),
        chart("latency-pace", "Pause between tokens by deployment, p95 in ms", width=50),
        text(
            "latency-words",
            "By lane, time counts from where callers say that they sent the question, by their clocks; elsewhere from "
            "the app's first line. Percentiles come from one number per turn or call, weighted by how many each stands "
            "for where Azure Monitor samples; a percentile of a metric does not exist. Choose a row of the slowest "
            "turns to see its trace below.",
        ),
        grid(
            "latency-slowest",
            "Slowest turns",
            bars=["Total, ms"],
            digits={"Total, ms": 0, "First token, ms": 0, "In queue, ms": 0},
            hidden=["Trace"],
            exportedParameters=[chosen],
        ),
        trace,
    ]


def _quality() -> list[Item]:
    measures = {"Mean": 3, "Lower bound": 3, "Upper bound": 3, "Below the bar, %": 1, "Judge errors, %": 1}
    drift = {"Baseline": 3, "Since": 3, "Moved by, standard errors": 1}
    bands = {"lower": "gray", "mean": "blue", "upper": "gray"}
    return [
        parameters(
            "quality-choice", [choice("Measure", "Measure", several=False, query=query_text("parameter-measure"))]
        ),
        chart("quality-scores", "{Measure}: mean with its 95 % confidence band", "linechart", colours=bands, width=50),
        chart(
            "quality-feedback", "What callers say", "barchart", colours={"up": "green", "down": "redBright"}, width=50
        ),
        grid("quality-measures", "All measures", bars=["Below the bar, %"], digits=measures),
        grid("quality-defects", "Defects", digits={"Defect rate, %": 1, "Upper bound, %": 1}, width=50),
        chart("quality-defect-rate", "Defect rate, %", width=50),
        grid("quality-drift", "Drift against each stream's first 100 scores", digits=drift, states=["State"], days=30),
        chart("quality-faults", "Judge errors, % of results", "barchart", width=50),
        grid("quality-alarms", "Drift and silence that the app noticed", width=50),
    ]


def _cost() -> list[Item]:
    tokens = {"Input": 0, "Cached": 0, "Output": 0, "Reasoning": 0, "Cost": 4, "Cost per 1000 answers": 4}
    waste = {"Tokens reported": 0, "In answers": 0, "For evaluation": 0, "Wasted": 0, "Wasted, %": 1}
    waste |= {"Quota held by failed calls": 0}
    return [
        chart("cost-tenants", "Cost by tenant", "barchart", width=60),
        chart("cost-lanes", "Cost of answers by lane", "piechart", width=40),
        grid("cost-models", "Tenants, models and lanes", bars=["Cost"], digits=tokens),
        grid("cost-waste", "Tokens that no answer got", bars=["Wasted"], digits=waste),
        text(
            "cost-words",
            "Cost is in the currency of the price table (`SPILLWAY_PRICES`); models without a price cost nothing "
            "here. Cost by tenant counts every call, so it includes answers that a lost run threw away; the "
            "tables count answers.",
        ),
    ]
