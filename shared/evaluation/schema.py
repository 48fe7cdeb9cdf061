"""A strict check of what a judge returned against the JSON schema it was given."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

_TYPES: Mapping[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def violation(value: Any, schema: Mapping[str, Any], place: str = "the reply") -> str:
    """Say what is wrong with `value`; empty when nothing is.

    Covers what the judges' schemas use: type, enum, properties (all of them required, no others), items and maxItems.
    """
    kind = str(schema["type"])
    # To isinstance True is a whole number; to a judge it is not.
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return f"{place} must be of type {kind}, found {type(value).__name__}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{place} must be one of {', '.join(map(str, schema['enum']))}, found {str(value)[:40]!r}"
    if kind == "object":
        return _object_violation(cast(Mapping[str, Any], value), schema, place)
    if kind == "array":
        return _array_violation(cast(Sequence[Any], value), schema, place)
    return ""


def _array_violation(value: Sequence[Any], schema: Mapping[str, Any], place: str) -> str:
    if len(value) > schema.get("maxItems", len(value)):
        return f"{place} must have at most {schema['maxItems']} entries, found {len(value)}"
    parts = (violation(part, schema["items"], f"{place}[{index}]") for index, part in enumerate(value))
    return next((text for text in parts if text), "")


def _object_violation(value: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> str:
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    if missing := sorted(properties.keys() - value.keys()):
        return f"{place} lacks {', '.join(missing)}"
    if extra := sorted(value.keys() - properties.keys()):
        return f"{place} has unknown fields: {', '.join(extra)[:80]}"
    parts = (violation(value[name], part, f"'{name}'") for name, part in properties.items())
    return next((text for text in parts if text), "")


def object_schema(**properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object whose properties are all required and exclusive, as structured outputs demand."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def integer_schema(low: int, high: int) -> Mapping[str, Any]:
    """A whole number in a range, as an enumeration because structured outputs know no minimum and maximum."""
    return {"type": "integer", "enum": list(range(low, high + 1))}


def label_schema(*labels: str) -> Mapping[str, Any]:
    """One of the given words."""
    return {"type": "string", "enum": list(labels)}


TEXT: Mapping[str, Any] = {"type": "string"}
