"""Partial updates of an item: at most ten operations on JSON pointers, all or nothing."""

import copy
from collections.abc import Callable
from typing import Any, Final

from local.cosmos.errors import CosmosError, bad_request
from local.cosmos.sql.values import UNDEFINED, is_number, number

OPERATIONS_LIMIT: Final = 10
_SYSTEM: Final = frozenset({"_rid", "_self", "_etag", "_ts", "_attachments"})

Parent = dict[str, Any] | list[Any]


def apply_patch(item: dict[str, Any], operations: Any) -> None:
    """Applies operations to an item in place; the caller throws the item away when this fails.

    Raises:
        CosmosError: 400 that says which operation cannot be done and why.
    """
    if not isinstance(operations, list) or not 1 <= len(operations) <= OPERATIONS_LIMIT:
        raise bad_request(f"A patch has 1 to {OPERATIONS_LIMIT} operations.")
    for place, operation in enumerate(operations):
        try:
            _apply(item, operation)
        except CosmosError as error:
            raise bad_request(f"Patch operation {place} cannot be done: {error.message}") from error


def _apply(item: dict[str, Any], operation: Any) -> None:
    if not isinstance(operation, dict) or not isinstance(operation.get("op"), str):
        raise bad_request("it must be an object with 'op' and 'path'.")
    kind = operation["op"].lower()
    if kind not in _KINDS:
        raise bad_request(f"{operation['op']!r} is none of {', '.join(_KINDS)}.")
    _KINDS[kind](item, operation)


def _names(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or not pointer.startswith("/") or pointer == "/":
        raise bad_request(f"{pointer!r} is not a JSON pointer to a member.")
    names = [name.replace("~1", "/").replace("~0", "~") for name in pointer[1:].split("/")]
    if names[0] in _SYSTEM:
        raise bad_request(f"the system member {names[0]!r} cannot be changed.")
    return names


def _locate(item: dict[str, Any], pointer: Any) -> tuple[Parent, str]:
    *way, last = _names(pointer)
    parent: Any = item
    for name in way:
        parent = _member(parent, name)
    if not isinstance(parent, dict | list):
        raise bad_request(f"the parent of {pointer!r} does not exist.")
    return parent, last


def _member(parent: Any, name: str) -> Any:
    if isinstance(parent, dict):
        return parent.get(name, UNDEFINED)
    place = _place(name) if isinstance(parent, list) else None
    return parent[place] if place is not None and place < len(parent) else UNDEFINED


def _place(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdecimal() and len(name) <= 9 else None


def _existing(item: dict[str, Any], pointer: Any) -> tuple[Parent, str]:
    parent, name = _locate(item, pointer)
    if _member(parent, name) is UNDEFINED:
        raise bad_request(f"there is nothing at {pointer!r}.")
    return parent, name


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise bad_request("it has no 'value'.")
    return copy.deepcopy(operation["value"])


def _put(parent: Parent, name: str, value: Any, *, insert: bool) -> None:
    if isinstance(parent, dict):
        parent[name] = value
        return
    place = len(parent) if name == "-" else _place(name)
    if place is None or place > len(parent):
        raise bad_request(f"{name!r} is no place in an array of {len(parent)} elements.")
    if insert or place == len(parent):
        parent.insert(place, value)
    else:
        parent[place] = value


def _take(parent: Parent, name: str) -> Any:
    return parent.pop(name) if isinstance(parent, dict) else parent.pop(int(name))


def _add(item: dict[str, Any], operation: dict[str, Any]) -> None:
    parent, name = _locate(item, operation.get("path"))
    _put(parent, name, _value(operation), insert=True)


def _set(item: dict[str, Any], operation: dict[str, Any]) -> None:
    parent, name = _locate(item, operation.get("path"))
    _put(parent, name, _value(operation), insert=False)


def _replace(item: dict[str, Any], operation: dict[str, Any]) -> None:
    parent, name = _existing(item, operation.get("path"))
    _put(parent, name, _value(operation), insert=False)


def _remove(item: dict[str, Any], operation: dict[str, Any]) -> None:
    _take(*_existing(item, operation.get("path")))


def _increment(item: dict[str, Any], operation: dict[str, Any]) -> None:
    parent, name = _locate(item, operation.get("path"))
    amount, old = _value(operation), _member(parent, name)
    if not is_number(amount) or not (old is UNDEFINED or is_number(old)):
        raise bad_request("incr needs a number as value and a number, or nothing, at its path.")
    if old is UNDEFINED and isinstance(parent, list):
        raise bad_request("incr needs an existing element of an array.")
    total = amount if old is UNDEFINED else number(old + amount)
    if total is UNDEFINED:
        raise bad_request("the sum is out of range.")
    _put(parent, name, total, insert=False)


def _move(item: dict[str, Any], operation: dict[str, Any]) -> None:
    source, target = operation.get("from"), operation.get("path")
    if isinstance(source, str) and isinstance(target, str) and target.startswith(source + "/"):
        raise bad_request("a value cannot be moved into itself.")
    parent, name = _existing(item, source)
    _names(target)
    value = _take(parent, name)
    to, last = _locate(item, target)
    _put(to, last, value, insert=True)


_KINDS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], None]]] = {
    "add": _add,
    "set": _set,
    "replace": _replace,
    "remove": _remove,
    "incr": _increment,
    "move": _move,
}
