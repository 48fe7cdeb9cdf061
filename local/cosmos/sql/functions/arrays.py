"""Array, set and object functions."""

from typing import Any

from local.cosmos.sql.functions.registry import ANY, ARRAYS, BOOLEANS, NUMBERS, OBJECTS, STRINGS, bounded, function
from local.cosmos.sql.values import UNDEFINED, canonical, same

function("ARRAY_LENGTH", ARRAYS)(len)


@function("ARRAY_CONTAINS", ARRAYS, ANY, BOOLEANS, optional=1)
def array_contains(items: list[Any], wanted: Any, partial: bool = False) -> bool:
    """Whether an element equals the value, or with `partial` an object holds all members of the wanted one."""
    return any(_matches(item, wanted) if partial else same(item, wanted) for item in items)


def _matches(item: Any, wanted: Any) -> bool:
    if isinstance(item, dict) and isinstance(wanted, dict):
        return all(key in item and _matches(item[key], value) for key, value in wanted.items())
    return same(item, wanted)


@function("ARRAY_CONTAINS_ANY", ARRAYS, ANY, variadic=True)
def array_contains_any(items: list[Any], *wanted: Any) -> bool:
    """Whether at least one of the values is an element."""
    keys = set(map(canonical, items))
    return any(canonical(value) in keys for value in wanted)


@function("ARRAY_CONTAINS_ALL", ARRAYS, ANY, variadic=True)
def array_contains_all(items: list[Any], *wanted: Any) -> bool:
    """Whether all of the values are elements."""
    keys = set(map(canonical, items))
    return all(canonical(value) in keys for value in wanted)


@function("ARRAY_CONCAT", ARRAYS, ARRAYS, variadic=True)
def array_concat(*arrays: list[Any]) -> list[Any]:
    """All arrays one after the other."""
    bounded(sum(map(len, arrays)))
    return [item for array in arrays for item in array]


@function("ARRAY_SLICE", ARRAYS, NUMBERS, NUMBERS, optional=1)
def array_slice(items: list[Any], start: float, length: float | None = None) -> list[Any]:
    """Elements from a place on; a negative place counts from the end."""
    first = int(start) if start >= 0 else max(0, len(items) + int(start))
    return items[first:] if length is None else items[first : first + max(0, int(length))]


@function("CHOOSE", NUMBERS, ANY, variadic=True)
def choose(place: float, *values: Any) -> Any:
    """The value at a place counted from 1."""
    return values[int(place) - 1] if 1 <= place <= len(values) else UNDEFINED


@function("SETINTERSECT", ARRAYS, ARRAYS)
def set_intersect(left: list[Any], right: list[Any]) -> list[Any]:
    """Elements of both arrays, each once."""
    wanted = set(map(canonical, right))
    return [item for key, item in _unique(left).items() if key in wanted]


@function("SETUNION", ARRAYS, ARRAYS)
def set_union(left: list[Any], right: list[Any]) -> list[Any]:
    """Elements of either array, each once."""
    bounded(len(left) + len(right))
    return list(_unique([*left, *right]).values())


def _unique(items: list[Any]) -> dict[bytes, Any]:
    unique: dict[bytes, Any] = {}
    for item in items:
        unique.setdefault(canonical(item), item)
    return unique


@function("OBJECTTOARRAY", OBJECTS, STRINGS, STRINGS, optional=2)
def object_to_array(members: dict[str, Any], key: str = "k", value: str = "v") -> list[dict[str, Any]]:
    """One object per member, with its name and its value."""
    return [{key: name, value: item} for name, item in members.items()]


@function("ARRAYTOOBJECT", ARRAYS)
def array_to_object(items: list[Any]) -> Any:
    """The reverse of ObjectToArray; undefined when an element is no pair of a name `k` and a value `v`."""
    result: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("k"), str) or "v" not in item:
            return UNDEFINED
        result[item["k"]] = item["v"]
    return result
