"""The kinds of items that an Azure workbook is made of, as its JSON wants them.

Source: learn.microsoft.com, "Azure Workbooks"; the schema and the public templates of the repository
Microsoft/Application-Insights-Workbooks. Codes: item types 1 text, 3 query, 9 parameters, 11 links, 12 group; parameter
types 1 text, 2 drop-down, 4 time range, 5 resource; formatters 0 automatic, 1 text, 4 bar, 5 hidden, 12 big number,
18 thresholds.
"""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

Item = dict[str, Any]
QUERIES: Final = Path(__file__).parent / "queries"
COMPONENT: Final = "microsoft.insights/components"
RESOURCE: Final = ["{Resource}"]
DAY_MS: Final = 86_400_000
_NAMESPACE: Final = uuid.UUID("8f0e5a5c-53a1-4f0c-9b39-6e8b5a6f2d11")
_ICONS: Final = {"good": "success", "warn": "2", "bad": "4", "info": "info", "steady": "success"}


def identity(name: str) -> str:
    """A GUID that stays the same from one writing to the next."""
    return str(uuid.uuid5(_NAMESPACE, name))


def query_text(name: str) -> str:
    """The KQL of `queries/{name}.kql`."""
    return (QUERIES / f"{name}.kql").read_text(encoding="utf-8").strip()


def text(name: str, markdown: str, *, width: int = 100) -> Item:
    """A piece of Markdown."""
    return _placed({"type": 1, "content": {"json": markdown}, "name": name}, width)


def query(name: str, title: str, visualization: str, *, width: int = 100, days: int | None = None, **more: Any) -> Item:
    """A query item; the name is that of its file.

    Args:
        name: Unique in the workbook.
        title: What it answers, in words.
        visualization: `timechart`, `barchart`, `piechart`, `table`, `tiles` and the like.
        width: Percent of the row.
        days: A fixed time range; otherwise it is the parameter's.
        more: Further fields of the content.
    """
    content: Item = {
        "version": "KqlItem/1.0",
        "query": query_text(name),
        "size": 0,
        "title": title,
        "noDataMessage": "Nothing in this time range.",
        "timeContext": {"durationMs": (days or 0) * DAY_MS},
        "timeContextFromParameter": None if days else "TimeRange",
        "queryType": 0,
        "resourceType": COMPONENT,
        "crossComponentResources": RESOURCE,
        "visualization": visualization,
        **more,
    }
    return _placed({"type": 3, "content": {k: v for k, v in content.items() if v is not None}, "name": name}, width)


def chart(
    name: str, title: str, kind: str = "timechart", *, colours: Mapping[str, str] | None = None, **more: Any
) -> Item:
    """A chart; colours by series are names that workbooks know."""
    labels = [{"seriesName": series, "color": colour} for series, colour in (colours or {}).items()]
    return query(name, title, kind, chartSettings={"showLegend": True, "seriesLabelSettings": labels}, **more)


def grid(
    name: str,
    title: str,
    *,
    bars: Sequence[str] = (),
    digits: Mapping[str, int] | None = None,
    states: Sequence[str] = (),
    hidden: Sequence[str] = (),
    **more: Any,
) -> Item:
    """A table.

    Args:
        name: Unique in the workbook.
        title: What it answers.
        bars: Columns whose values are also drawn.
        digits: Digits after the point by column.
        states: Columns that hold a state such as `good`.
        hidden: Columns that are there for choosing a row only.
        more: Further fields of the content.
    """
    formatters: list[Item] = [{"columnMatch": f"^{column}$", "formatter": 18} | _thresholds() for column in states]
    formatters += [{"columnMatch": f"^{column}$", "formatter": 5} for column in hidden]
    rounding = digits or {}
    for column in dict.fromkeys([*bars, *rounding]):
        formatter: Item = {"columnMatch": f"^{_escaped(column)}$", "formatter": 4 if column in bars else 0}
        if column in bars:
            formatter["formatOptions"] = {"palette": "blue"}
        if column in rounding:
            formatter["numberFormat"] = _decimal(rounding[column])
        formatters.append(formatter)
    settings = {"formatters": formatters, "rowLimit": 100, "sortBy": []}
    return query(name, title, "table", gridSettings=settings, **more)


def tiles(name: str, title: str, **more: Any) -> Item:
    """Tiles of a query that gives `what`, `value`, `note` and `state`."""
    settings = {
        "titleContent": {"columnMatch": "what", "formatter": 1},
        "subtitleContent": {"columnMatch": "note", "formatter": 1},
        "leftContent": {"columnMatch": "value", "formatter": 12, "formatOptions": {"palette": "none"}},
        "rightContent": {"columnMatch": "state", "formatter": 18} | _thresholds(shown=False),
        "showBorder": True,
        "size": "auto",
    }
    return query(name, title, "tiles", tileSettings=settings, **more)


def group(name: str, items: Sequence[Item]) -> Item:
    """Items that are shown while the tab of this name is chosen."""
    content = {"version": "NotebookGroup/1.0", "groupType": "editable", "items": list(items)}
    visibility = {"parameterName": "Tab", "comparison": "isEqualTo", "value": name}
    return {"type": 12, "content": content, "conditionalVisibility": visibility, "name": f"tab-{name}"}


def tabs(labels: Mapping[str, str]) -> Item:
    """The tabs: label by name of their group."""
    links = [
        {"id": identity(f"tab {name}"), "cellValue": "Tab", "linkTarget": "parameter", "linkLabel": label}
        | {"subTarget": name, "style": "link"}
        for name, label in labels.items()
    ]
    return {"type": 11, "content": {"version": "LinkItem/1.0", "style": "tabs", "links": links}, "name": "tabs"}


def parameters(name: str, found: Sequence[Item]) -> Item:
    """A row of parameters."""
    content = {
        "version": "KqlParameterItem/1.0",
        "crossComponentResources": RESOURCE,
        "parameters": list(found),
        "style": "pills",
        "queryType": 0,
        "resourceType": COMPONENT,
    }
    return {"type": 9, "content": content, "name": name}


def parameter(name: str, label: str, kind: int, **more: Any) -> Item:
    """One parameter of a kind by its code."""
    return {
        "id": identity(f"parameter {name}"),
        "version": "KqlParameterItem/1.0",
        "name": name,
        "label": label,
        "type": kind,
        **more,
    }


def choice(name: str, label: str, *, several: bool, **source: Any) -> Item:
    """A drop-down over a query or a list; with `several`, all are chosen at first and stand in queries as '*'."""
    if several:
        more: Item = {
            "isRequired": True,
            "multiSelect": True,
            "quote": "'",
            "delimiter": ",",
            "typeSettings": {"additionalResourceOptions": ["value::all"], "selectAllValue": "*", "showDefault": False},
            "defaultValue": "value::all",
            "value": ["value::all"],
        }
    else:
        more = {
            "isRequired": True,
            "typeSettings": {"additionalResourceOptions": ["value::1"], "showDefault": False},
            "defaultValue": "value::1",
            "value": "value::1",
        }
    if "query" in source:
        more |= {"timeContextFromParameter": "TimeRange", "queryType": 0, "resourceType": COMPONENT}
        more |= {"crossComponentResources": RESOURCE}
    return parameter(name, label, 2, **source, **more)


def _placed(item: Item, width: int) -> Item:
    return item if width == 100 else item | {"customWidth": str(width)}


def _escaped(column: str) -> str:
    return "".join(f"\\{letter}" if letter in "%.()" else letter for letter in column)


def _decimal(digits: int) -> Item:
    return {"unit": 0, "options": {"style": "decimal", "useGrouping": True, "maximumFractionDigits": digits}}


def _thresholds(*, shown: bool = True) -> Item:
    said = "{0}{1}" if shown else ""
    grid: list[Item] = [
        {"operator": "==", "thresholdValue": state, "representation": icon, "text": said}
        for state, icon in _ICONS.items()
    ]
    grid += [
        {"operator": "==", "thresholdValue": state, "representation": "2", "text": said} for state in ("above", "below")
    ]
    grid.append({"operator": "Default", "thresholdValue": None, "representation": "unknown", "text": said})
    return {"formatOptions": {"thresholdsOptions": "icons", "thresholdsGrid": grid}}
