"""JSON that satisfies a JSON schema, filled with what is known of the answer."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from local.openai.answers.conversation import read
from local.openai.chat_request import Message
from local.openai.errors import bad_request, not_covered

_DEEPEST = 16
_REPEATS_UNTIL = 6
_MOST_VALUES = 5_000
_TEXTS = frozenset({"answer", "text", "response", "content", "message", "reply", "output", "summary", "result"})
_QUESTIONS = frozenset({"query", "question", "search", "search_query", "q", "input", "keywords", "prompt"})
_REASONS = frozenset({"reason", "explanation", "rationale", "reasoning", "justification"})
_SOURCES = frozenset({"sources", "citations", "source_ids", "references", "cited"})
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "user@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "duration": "PT1M",
}
_NOT_COVERED = ("pattern", "patternProperties", "allOf", "not", "if", "dependentRequired", "multipleOf")


@dataclass(frozen=True, slots=True)
class Known:
    """What can be put into fields whose names ask for it.

    Attributes:
        answer: The answer as text.
        question: What the user asked.
        cited: Ids of the sources of the answer.
        score: A judge's score, None when nothing was judged.
        reason: Why.
    """

    answer: str
    question: str
    cited: tuple[str, ...] = ()
    score: float | None = None
    reason: str = ""


def arguments_json(schema: dict[str, Any], messages: Sequence[Message]) -> str:
    """Arguments of a tool call as JSON that fits the tool's parameters."""
    question, _ = read(messages)
    return fill(schema or {"type": "object"}, Known(question.text, question.text))


def fill(schema: dict[str, Any], known: Known) -> str:
    """JSON text that satisfies a schema.

    Raises:
        ServiceError: 400, the schema uses what is not covered, or is too deep or too large.
    """
    return orjson.dumps(_Filler(schema, known).value(schema, "", 0)).decode()


class _Filler:
    """Walks one schema; the number of values it may make is bounded, since references can multiply."""

    def __init__(self, root: dict[str, Any], known: Known) -> None:
        self._root = root
        self._known = known
        self._left = _MOST_VALUES

    def value(self, schema: Any, name: str, depth: int) -> Any:
        """A value for one schema; `name` is the property it is for."""
        self._left -= 1
        if not isinstance(schema, dict | bool) or schema is False or depth > _DEEPEST or self._left < 0:
            raise bad_request(
                f"Invalid schema: it must be made of objects, nest at most {_DEEPEST} deep and ask for at most "
                f"{_MOST_VALUES} values.",
                param="response_format",
            )
        if schema is True or not schema:
            return self._known.answer
        for keyword in _NOT_COVERED:
            if keyword in schema:
                raise not_covered(f"The JSON schema keyword {keyword}", param="response_format")
        if "$ref" in schema:
            return self.value(_resolved(schema["$ref"], self._root), name, depth + 1)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return _choice(schema["enum"], self._known)
        options = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(options, list) and options:
            return self._one_of(options, name, depth)
        return self._typed(schema, name, depth)

    def _one_of(self, options: list[Any], name: str, depth: int) -> Any:
        """The first option that says something; null where a schema that repeats itself has to end."""
        nothing = {"type": "null"} in options
        if nothing and depth > _REPEATS_UNTIL:
            return None
        useful = [option for option in options if option != {"type": "null"}]
        return self.value((useful or options)[0], name, depth + 1)

    def _typed(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        match kind:
            case "object":
                properties = schema.get("properties", {})
                if not isinstance(properties, dict):
                    raise bad_request("Invalid schema: 'properties' must be an object.", param="response_format")
                return {key: self.value(inner, key, depth + 1) for key, inner in properties.items()}
            case "array":
                return self._array(schema, name, depth)
            case "string":
                return _string(schema, name.lower(), self._known)
            case "integer" | "number":
                return _number(schema, name.lower(), self._known, whole=kind == "integer")
            case "boolean":
                return bool(self._known.cited) or self._known.score is None
            case "null":
                return None
            case _:
                raise bad_request(f"Invalid schema: there is no type '{kind}'.", param="response_format")

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        least, most = _bound(schema, "minItems", 0), _bound(schema, "maxItems", _MOST_VALUES)
        items = schema.get("items", {"type": "string"})
        found: list[Any] = []
        if name.lower() in _SOURCES and isinstance(items, dict) and items.get("type") == "string":
            found = list(self._known.cited[:most])
        elif most and depth <= _REPEATS_UNTIL:
            found = [self.value(items, name, depth + 1)]
        while len(found) < least:
            found.append(self.value(items, name, depth + 1))
        return found


def _string(schema: dict[str, Any], name: str, known: Known) -> str:
    form = schema.get("format")
    if form is not None:
        if form not in _FORMATS:
            raise not_covered(f"The JSON schema format {form}", param="response_format")
        if form == "date":
            return dt.datetime.now(dt.UTC).date().isoformat()
        return _FORMATS[form]
    if name in _QUESTIONS:
        text = known.question
    elif name in _REASONS:
        text = known.reason or known.answer
    elif name in _TEXTS or not name:
        text = known.answer
    else:
        text = known.question or known.answer
    least, most = _bound(schema, "minLength", 0), _bound(schema, "maxLength", 100_000)
    return text.ljust(min(least, 100_000), ".")[:most]


def _number(schema: dict[str, Any], name: str, known: Known, *, whole: bool) -> int | float:
    value = known.score if known.score is not None and "score" in name else 1.0 if known.cited else 0.0
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        low = schema["exclusiveMinimum"] + (1 if whole else 0.001)
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        high = schema["exclusiveMaximum"] - (1 if whole else 0.001)
    if isinstance(low, int | float):
        value = max(value, float(low))
    if isinstance(high, int | float):
        value = min(value, float(high))
    return round(value) if whole else value


def _bound(schema: dict[str, Any], keyword: str, default: int) -> int:
    value = schema.get(keyword, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad_request(f"Invalid schema: '{keyword}' must be a whole number.", param="response_format")
    return value


def _choice(options: list[Any], known: Known) -> Any:
    """The first option that the question names, else the first."""
    asked = known.question.lower()
    return next((one for one in options if isinstance(one, str) and one.lower() in asked), options[0])


def _resolved(reference: Any, root: dict[str, Any]) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise not_covered("A JSON schema reference to another document", param="response_format")
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if not step:
            continue
        if not isinstance(found, dict) or step not in found:
            raise bad_request(f"Invalid schema: '{reference}' does not exist.", param="response_format")
        found = found[step]
    return found
