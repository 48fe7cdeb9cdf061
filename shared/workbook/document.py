"""The workbook's file: which parameters and queries it has."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

FILE: Final = Path(__file__).parent / "spillway.workbook"
"""The same as infra/workbooks/spillway.workbook, because infra/ is not in the deployed package."""
TEXT, DROP_DOWN, TIME_RANGE = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the workbook.

    Attributes:
        kind: Its code in the workbook: `TEXT`, `DROP_DOWN` or `TIME_RANGE`.
        several: Takes several values.
        value: What it is at first.
    """

    name: str
    kind: int
    several: bool
    value: Any


@dataclass(frozen=True, slots=True)
class Workbook:
    """The whole workbook.

    Attributes:
        content: Its JSON value.
        parameters: By name; also those that choosing a row of a table sets.
        queries: KQL with placeholders, by the item's name; those of drop-downs as `parameter-NAME`.
    """

    content: Mapping[str, Any]
    parameters: Mapping[str, Parameter]
    queries: Mapping[str, str]


@cache
def load(file: Path = FILE) -> Workbook:
    """Reads the workbook once."""
    content = json.loads(file.read_text(encoding="utf-8"))
    parameters: dict[str, Parameter] = {}
    queries: dict[str, str] = {}
    for item in _items(content):
        inner = item["content"]
        if item["type"] == 3:
            queries[item["name"]] = inner["query"]
            for exported in inner.get("exportedParameters", ()):
                parameters[exported["parameterName"]] = Parameter(
                    exported["parameterName"], TEXT, several=False, value=""
                )
        for found in inner.get("parameters", ()):
            if found["type"] in {TEXT, DROP_DOWN, TIME_RANGE}:
                several = bool(found.get("multiSelect"))
                parameters[found["name"]] = Parameter(found["name"], found["type"], several, found.get("value"))
                if "query" in found:
                    queries[f"parameter-{found['name']}"] = found["query"]
    return Workbook(content, MappingProxyType(parameters), MappingProxyType(queries))


def _items(container: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in container["items"]:
        yield item
        if "items" in item["content"]:
            yield from _items(item["content"])
