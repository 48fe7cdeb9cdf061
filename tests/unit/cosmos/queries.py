"""Runs a query over plain objects."""

from typing import Any

from local.cosmos.sql.parser import parse
from local.cosmos.sql.pipeline import compile_query
from local.cosmos.sql.values import UNDEFINED


def run(text: str, items: list[Any] | None = None, **parameters: Any) -> list[Any]:
    """The results of a query; parameters are given without their @."""
    pipeline = compile_query(parse(text))
    environment = pipeline.environment({f"@{name}": value for name, value in parameters.items()})
    places = enumerate([{}] if items is None else items)
    return [row.value for row in pipeline.rows(environment, places)]


def value_of(expression: str, item: Any = None, **parameters: Any) -> Any:
    """The value of one expression over one item `c`; undefined when it has none."""
    return next(iter(run(f"SELECT VALUE {expression} FROM c", [item or {}], **parameters)), UNDEFINED)
