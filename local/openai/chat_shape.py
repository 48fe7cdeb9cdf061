"""The parts of a chat request that say what shape the answer has: tools and response format."""

from dataclasses import dataclass
from typing import Any

import orjson

from local.openai.errors import bad_request, not_covered
from local.openai.fields import FieldError, Fields

MOST_TOOLS = 128


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; `parameters` is its JSON schema."""

    name: str
    parameters: dict[str, Any]


def tools(fields: Fields) -> tuple[dict[str, Tool], str]:
    """The tools by name, and their text as it counts towards the prompt."""
    items = fields.items("tools")
    if len(items) > MOST_TOOLS:
        raise FieldError("tools", f"must have at most {MOST_TOOLS} entries")
    found: dict[str, Tool] = {}
    for index, item in enumerate(items):
        outer = Fields(item, f"tools[{index}]")
        if outer.text("type") != "function":
            raise not_covered("A tool that is not a function", param=outer.path("type"))
        inner = Fields(outer.raw("function"), outer.path("function"))
        parameters = inner.raw("parameters") or {}
        if not isinstance(parameters, dict):
            raise FieldError(inner.path("parameters"), "must be an object")
        tool = Tool(inner.text("name"), parameters)
        found[tool.name] = tool
    return found, orjson.dumps(items).decode() if items else ""


def forced_tool(fields: Fields, known: dict[str, Tool]) -> tuple[Tool | None, bool]:
    """The tool that must be called, if any, and whether the caller named it."""
    choice = fields.raw("tool_choice")
    if choice is None:
        return None, False
    if not known:
        raise bad_request("'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(choice, str):
        if choice not in {"none", "auto", "required"}:
            raise FieldError("tool_choice", "must be none, auto, required or a function")
        return (next(iter(known.values())) if choice == "required" else None), False
    outer = Fields(choice, "tool_choice")
    if outer.text("type") != "function":
        raise not_covered("A tool choice that is not a function", param="tool_choice.type")
    name = Fields(outer.raw("function"), "tool_choice.function").text("name")
    if name not in known:
        raise FieldError("tool_choice.function.name", "must be the name of one of the tools")
    return known[name], True


def response_format(fields: Fields, prompt: str) -> tuple[dict[str, Any] | None, bool]:
    """The schema of the answer, None for text, and whether it is `json_object`."""
    if not fields.has("response_format"):
        return None, False
    outer = Fields(fields.raw("response_format"), "response_format")
    kind = outer.text("type", choices=("text", "json_object", "json_schema"))
    if kind == "text":
        return None, False
    if kind == "json_object":
        if "json" not in prompt.lower():
            raise bad_request(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                param="messages",
            )
        return {}, True
    inner = Fields(outer.raw("json_schema"), "response_format.json_schema")
    inner.text("name")
    schema = inner.raw("schema")
    if not isinstance(schema, dict):
        raise FieldError("response_format.json_schema.schema", "must be an object")
    return schema, False
