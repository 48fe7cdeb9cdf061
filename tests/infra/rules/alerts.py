"""Alerts and the workbook: Azure is given what is tested here, within what it evaluates, and people hear of it."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

from infra.alerts.table import Alert, load
from tests.infra.bicep.resources import Resource
from tests.infra.rules.project import Project, Rule

KIND = "Microsoft.Insights/scheduledQueryRules"
WORKBOOK = "Microsoft.Insights/workbooks"
COMPONENT = "Microsoft.Insights/components"
GROUP = "Microsoft.Insights/actionGroups"
MINUTES = {f"PT{n}M": n for n in (5, 10, 15, 30, 45)} | {f"PT{n}H": 60 * n for n in range(1, 7)} | {"P1D": 1440}
FREQUENCIES = MINUTES
WINDOWS = MINUTES | {"P2D": 2880}
"""What a log search alert may have. Two days is the most that Azure looks back, whatever a query says; one minute is
left out, which not every query may have. Source: the schema of azurerm_monitor_scheduled_query_rules_alert_v2."""
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LET = re.compile(r"^let (\w+) = (\d+)([mhd]);$", re.MULTILINE)
LOOK_BACK = re.compile(r"between \(ago\(([^()]+)\) \.\. ago\(([^()]+)\)\)")


def _deployed(project: Project) -> Iterator[tuple[str, dict[str, Resource]]]:
    """The rules of each scenario by the name of their alert."""
    for scenario, result in project.scenarios.items():
        rules = [entry for entry in result.resources if entry.kind == KIND]
        yield scenario, {re.sub(r"^alert-spillway-[a-z0-9]+-", "", rule.name): rule for rule in rules}


def alerts_are_those_of_the_table(project: Project) -> Iterator[str]:
    wanted = {alert.name: alert for alert in load(project.infra / "alerts")}
    for scenario, rules in _deployed(project):
        if scenario != "dev" and set(rules) != set(wanted):
            yield f"{scenario}: alerts {sorted(set(rules) ^ set(wanted))} are in the table or in Azure only"
        for name, rule in rules.items():
            for what, here, there in _differences(rule, wanted[name]):
                yield f"{scenario}: {what} of {name} is {here!r} and in the table {there!r}"


def _differences(rule: Resource, alert: Alert) -> Iterator[tuple[str, object, object]]:
    (condition,) = rule.properties["criteria"]["allOf"]
    pairs = {
        "severity": (rule.properties["severity"], alert.severity),
        "frequency": (rule.properties["evaluationFrequency"], alert.frequency),
        "window": (rule.properties["windowSize"], alert.window),
        "query": (condition["query"], alert.query),
        "split": ([entry["name"] for entry in condition["dimensions"]], list(alert.split)),
        "condition": ((condition["timeAggregation"], condition["operator"], condition["threshold"]), _ANY_ROW),
    }
    yield from ((what, here, there) for what, (here, there) in pairs.items() if here != there)


_ANY_ROW = ("Count", "GreaterThan", 0)


def alert_windows_are_within_azures(project: Project) -> Iterator[str]:
    for alert in load(project.infra / "alerts"):
        frequency, window = FREQUENCIES.get(alert.frequency), WINDOWS.get(alert.window)
        if frequency is None or window is None:
            yield f"{alert.name}: Azure takes neither every {alert.frequency} nor a window of {alert.window}, or one"
        elif frequency > window:
            yield f"{alert.name} is evaluated every {alert.frequency} and looks back {alert.window} only"
        elif not 0 <= alert.severity <= 4:
            yield f"{alert.name} has the severity {alert.severity}"


def alerts_wait_for_telemetry(project: Project) -> Iterator[str]:
    """Each time range leaves out what may still be on its way, and begins within the rule's window."""
    for alert in load(project.infra / "alerts"):
        spans = {name: timedelta(**{UNITS[unit]: int(count)}) for name, count, unit in LET.findall(alert.query)}
        ranges = LOOK_BACK.findall(alert.query)
        if len(ranges) != alert.query.count("\n| where timestamp between") or not ranges:
            yield f"{alert.name} has a time range that is not of the form between (ago(...) .. ago(...))"
        for begin, end in ranges:
            if "lag" not in end:
                yield f"{alert.name} looks at telemetry that may not have arrived: up to ago({end})"
            if _sum(begin, spans) > timedelta(minutes=WINDOWS.get(alert.window, 0)):
                yield f"{alert.name} looks back ago({begin}), which is more than its window {alert.window}"
        if spans["lag"] < timedelta(minutes=3):
            yield f"{alert.name} waits {spans['lag']} for telemetry, which can take three minutes"


def _sum(text: str, spans: dict[str, timedelta]) -> timedelta:
    parts = (part.strip() for part in text.split("+"))
    return sum((spans[part] if part in spans else _span(part) for part in parts), timedelta())


def _span(text: str) -> timedelta:
    return timedelta(**{UNITS[text[-1]]: int(text[:-1])})


def every_alert_query_is_used(project: Project) -> Iterator[str]:
    folder = project.infra / "alerts"
    used = {entry["query"] for entry in json.loads((folder / "alerts.json").read_text())["alerts"]}
    found = {path.stem for path in folder.glob("*.kql")}
    if used != found:
        yield f"queries without an alert or a file: {sorted(used ^ found)}"


def alerts_reach_somebody(project: Project) -> Iterator[str]:
    for scenario, rules in _deployed(project):
        result = project.scenarios[scenario]
        groups = {entry.id for entry in result.resources if entry.kind == GROUP and not entry.existing}
        components = {entry.id for entry in result.resources if entry.kind == COMPONENT and not entry.existing}
        for name, rule in rules.items():
            if not rule.properties["enabled"] or not set(rule.properties["actions"]["actionGroups"]) & groups:
                yield f"{scenario}: nobody hears of {name}"
            if not set(rule.properties["scopes"]) <= components:
                yield f"{scenario}: {name} looks at {rule.properties['scopes']}"
            if not rule.properties["autoMitigate"]:
                yield f"{scenario}: {name} stays fired when it is over"


def the_workbook_shows_this_environment(project: Project) -> Iterator[str]:
    for scenario, result in project.scenarios.items():
        components = {entry.id for entry in result.resources if entry.kind == COMPONENT and not entry.existing}
        workbooks = [entry for entry in result.resources if entry.kind == WORKBOOK]
        if len(workbooks) != 1:
            yield f"{scenario}: {len(workbooks)} workbooks"
        for workbook in workbooks:
            content = json.loads(workbook.properties["serializedData"])
            if workbook.properties["sourceId"] not in components:
                yield f"{scenario}: the workbook is of {workbook.properties['sourceId']}"
            if not set(content.get("fallbackResourceIds", [])) & components:
                yield f"{scenario}: the workbook's queries know no resource"
            if content.get("version") != "Notebook/1.0" or not content.get("items"):
                yield f"{scenario}: the workbook's content is no workbook"
            if workbook.body.get("kind") != "shared":
                yield f"{scenario}: only its author sees the workbook"


RULES: tuple[Rule, ...] = (
    alerts_are_those_of_the_table,
    alert_windows_are_within_azures,
    alerts_wait_for_telemetry,
    every_alert_query_is_used,
    alerts_reach_somebody,
    the_workbook_shows_this_environment,
)
