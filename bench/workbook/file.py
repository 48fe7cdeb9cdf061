"""The workbook's queries as its file has them, with the values that a person chooses who wants to see a day."""

import json
import re
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).resolve().parents[2] / "infra" / "workbooks" / "spillway.workbook"
GRAIN: Final = "30m"
"""Of a time range of a day, as the documentation of workbooks has it."""
CHOSEN: Final = {"Tenant": "'*'", "Deployment": "'*'", "Lane": "'*'", "Measure": "relevance"}
QUERY, PARAMETERS, GROUP = 3, 9, 12


def queries_by_tab(hours: int, file: Path = FILE) -> dict[str, dict[str, str]]:
    """KQL by name for each tab: its drop-downs, those above the tabs included, and the panels shown at first."""
    items = json.loads(file.read_text(encoding="utf-8"))["items"]
    values = _values(items, hours)
    above = _queries([item for item in items if item["type"] != GROUP], values)
    return {
        group["conditionalVisibility"]["value"]: {**above, **_queries(group["content"]["items"], values)}
        for group in items
        if group["type"] == GROUP
    }


def _values(items: list[dict[str, Any]], hours: int) -> dict[str, str]:
    asked = {one["name"]: one.get("value") for item in items for one in item["content"].get("parameters", ())}
    plain = {name: value for name, value in asked.items() if isinstance(value, str)}
    return plain | CHOSEN | {"TimeRange": f"> ago({hours}h)", "TimeRange:grain": GRAIN}


def _queries(items: list[dict[str, Any]], values: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        content = item["content"]
        if item["type"] == QUERY and "conditionalVisibility" not in item:
            found[item["name"]] = content["query"]
        if item["type"] == PARAMETERS:
            # The resource is asked of the portal, not of telemetry.
            own = [one for one in content["parameters"] if "query" in one and one["name"] != "Resource"]
            found |= {f"parameter-{one['name']}": one["query"] for one in own}
    return {name: re.sub(r"\{(\w+(?::\w+)?)\}", lambda match: values[match[1]], text) for name, text in found.items()}
