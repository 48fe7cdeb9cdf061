"""Inline route constraints such as `int` or `length(2,5)`: what a captured path segment must look like."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime

Predicate = Callable[[str], bool]

_INT32, _INT64 = 2**31, 2**63


def _whole_number(bound: int) -> Predicate:
    def holds(text: str) -> bool:
        return bool(re.fullmatch(r"[+-]?\d{1,20}", text)) and -bound <= int(text) < bound

    return holds


def _decimal(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text))


def _guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _datetime(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_PLAIN: dict[str, Predicate] = {
    "alpha": lambda text: bool(re.fullmatch(r"[A-Za-z]*", text)),
    "bool": lambda text: text.lower() in {"true", "false"},
    "datetime": _datetime,
    "decimal": _decimal,
    "double": _decimal,
    "float": _decimal,
    "guid": _guid,
    "int": _whole_number(_INT32),
    "long": _whole_number(_INT64),
    "required": bool,
}
_long = _PLAIN["long"]


def _length(least: int, most: int | None = None) -> Predicate:
    highest = least if most is None else most
    return lambda text: least <= len(text) <= highest


_WITH_NUMBERS: dict[str, tuple[range, Callable[..., Predicate]]] = {
    "length": (range(1, 3), _length),
    "max": (range(1, 2), lambda most: lambda text: _long(text) and int(text) <= most),
    "maxlength": (range(1, 2), lambda most: lambda text: len(text) <= most),
    "min": (range(1, 2), lambda least: lambda text: _long(text) and int(text) >= least),
    "minlength": (range(1, 2), lambda least: lambda text: len(text) >= least),
    "range": (range(2, 3), lambda least, most: lambda text: _long(text) and least <= int(text) <= most),
}


def parse(text: str) -> Predicate:
    """The predicate of one constraint, as written between `:` and `}`.

    Raises:
        ValueError: There is no such constraint, or its arguments are wrong.
    """
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text, re.DOTALL)
    name, arguments = (match[1].lower(), match[2]) if match else (text, None)
    if arguments is None and name in _PLAIN:
        return _PLAIN[name]
    if arguments is not None and name == "regex":
        pattern = _pattern(arguments.replace("{{", "{").replace("}}", "}"))
        return lambda segment: pattern.search(segment) is not None
    if arguments is not None and name in _WITH_NUMBERS:
        counts, build = _WITH_NUMBERS[name]
        numbers = [int(number) for number in arguments.split(",")]
        if len(numbers) in counts:
            return build(*numbers)
    raise ValueError(f'there is no route constraint "{text}"')


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f'"{text}" is not a valid regular expression: {error}') from error
