"""String functions."""

from collections.abc import Callable
from typing import Any

import orjson

from local.cosmos.sql.functions.registry import ANY, ARRAYS, BOOLEANS, NUMBERS, STRINGS, bounded, function
from local.cosmos.sql.values import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, UNDEFINED, rank

_REPLICATE_LIMIT = 10_000

function("UPPER", STRINGS)(str.upper)
function("LOWER", STRINGS)(str.lower)
function("LENGTH", STRINGS)(len)
function("TRIM", STRINGS, STRINGS, optional=1)(str.strip)
function("LTRIM", STRINGS, STRINGS, optional=1)(str.lstrip)
function("RTRIM", STRINGS, STRINGS, optional=1)(str.rstrip)


@function("REVERSE", STRINGS)
def reverse(text: str) -> str:
    """The characters in reverse order."""
    return text[::-1]


@function("CONCAT", STRINGS, STRINGS, variadic=True)
def concatenate(*texts: str) -> str:
    """All arguments one after the other."""
    bounded(sum(map(len, texts)))
    return "".join(texts)


@function("SUBSTRING", STRINGS, NUMBERS, NUMBERS)
def substring(text: str, start: float, length: float) -> str:
    """At most `length` characters from a place counted from 0."""
    first = max(0, int(start))
    return text[first : first + max(0, int(length))]


@function("LEFT", STRINGS, NUMBERS)
def left(text: str, length: float) -> str:
    """The first characters."""
    return text[: max(0, int(length))]


@function("RIGHT", STRINGS, NUMBERS)
def right(text: str, length: float) -> str:
    """The last characters."""
    return text[-int(length) :] if length >= 1 else ""


@function("REPLACE", STRINGS, STRINGS, STRINGS)
def replace(text: str, old: str, new: str) -> Any:
    """Every occurrence replaced."""
    if not old:
        return text
    bounded(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


@function("REPLICATE", STRINGS, NUMBERS)
def replicate(text: str, times: float) -> Any:
    """The text repeated; undefined past 10,000 characters and for negative counts."""
    if times < 0 or len(text) * times > _REPLICATE_LIMIT:
        return UNDEFINED
    return text * int(times)


@function("INDEX_OF", STRINGS, STRINGS, NUMBERS, optional=1)
def index_of(text: str, part: str, start: float = 0) -> int:
    """The first place of a part counted from 0, or -1."""
    return text.find(part, max(0, int(start)))


def _maybe_ignoring_case(test: Callable[[str, str], bool]) -> Callable[..., bool]:
    def call(text: str, part: str, ignore_case: bool = False) -> bool:
        return test(text.lower(), part.lower()) if ignore_case else test(text, part)

    return call


for _name, _test in (
    ("CONTAINS", str.__contains__),
    ("STARTSWITH", str.startswith),
    ("ENDSWITH", str.endswith),
    ("STRINGEQUALS", str.__eq__),
):
    function(_name, STRINGS, STRINGS, BOOLEANS, optional=1)(_maybe_ignoring_case(_test))


@function("STRINGJOIN", ARRAYS, STRINGS)
def string_join(parts: list[Any], separator: str) -> Any:
    """An array of strings as one string; undefined when an element is no string."""
    if not all(type(part) is str for part in parts):
        return UNDEFINED
    bounded(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


@function("STRINGSPLIT", STRINGS, STRINGS)
def string_split(text: str, separator: str) -> list[str]:
    """The parts between separators."""
    return text.split(separator) if separator else [text]


@function("TOSTRING", ANY)
def to_string(value: Any) -> str:
    """A value as JSON text; a string as itself."""
    return value if type(value) is str else orjson.dumps(value).decode()


def _parsed_as(kind: int) -> Callable[[str], Any]:
    def call(text: str) -> Any:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return UNDEFINED
        return value if rank(value) == kind else UNDEFINED

    return call


for _name, _kind in (
    ("STRINGTONULL", NULL),
    ("STRINGTOBOOLEAN", BOOLEAN),
    ("STRINGTONUMBER", NUMBER),
    ("STRINGTOARRAY", ARRAY),
    ("STRINGTOOBJECT", OBJECT),
):
    function(_name, STRINGS)(_parsed_as(_kind))
