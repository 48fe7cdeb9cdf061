"""Partition keys: from an item or a header to a hash, and from the hash to a physical partition.

Hash version 2 is murmur3 (x64, 128 bit, seed 0) over a type byte and the value, reversed, without the two top bits.
A hierarchical key (MultiHash) is one such hash per level, one after the other, so that a prefix of levels is a range.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import mmh3
import orjson

from local.cosmos.errors import PARTITION_KEY_MISMATCH, RANGE_GONE, CosmosError, bad_request
from local.cosmos.sql.values import UNDEFINED, is_number, number

FIRST, LAST = "", "FF"
_HASHES: Final = 0x40000000
_VALUE_LIMIT_BYTES: Final = 2048
RANGES_LIMIT: Final = 256
_CACHED_LENGTH: Final = 256

Key = tuple[Any, ...]


def _component_bytes(value: Any) -> bytes:
    if value is UNDEFINED:
        return b"\x00"
    if value is None:
        return b"\x01"
    if isinstance(value, bool):
        return b"\x03" if value else b"\x02"
    if isinstance(value, str):
        return b"\x08" + value.encode() + b"\xff"
    return b"\x05" + struct.pack("<d", float(value))


def _hash(raw: bytes) -> str:
    digest = bytearray(reversed(mmh3.mmh3_x64_128_digest(raw)))
    digest[0] &= 0x3F
    return digest.hex().upper()


@dataclass(frozen=True, slots=True)
class KeyDefinition:
    """A container's partition key.

    Attributes:
        paths: Property names per level.
        hierarchical: Whether it is a MultiHash key.
    """

    paths: tuple[tuple[str, ...], ...]
    hierarchical: bool

    def of_item(self, item: dict[str, Any]) -> Key:
        """The key of an item; what it does not have is undefined."""
        return tuple([_checked(_value_at(item, path)) for path in self.paths])

    def of_header(self, header: str) -> Key:
        """The key in a request header, a JSON array; may be a prefix of a hierarchical key.

        Raises:
            CosmosError: It is no such array or has more levels than the container.
        """
        parse = _cached_header if len(header) <= _CACHED_LENGTH else _parse_header
        return parse(header, len(self.paths))

    def effective(self, key: Key) -> str:
        """The hash text that orders keys over physical partitions."""
        return effective_key(key_text(key), hierarchical=self.hierarchical)


def _parse_header(header: str, levels: int) -> Key:
    try:
        values = orjson.loads(header)
    except orjson.JSONDecodeError as error:
        raise bad_request("The partition key header is no JSON array.") from error
    if not isinstance(values, list) or len(values) > levels:
        raise bad_request(
            f"The partition key header must be a JSON array of at most {levels} values.", PARTITION_KEY_MISMATCH
        )
    # An empty array is what clients send for a container whose key is not part of the items.
    return tuple([_checked(UNDEFINED if value == {} else value) for value in values]) or (UNDEFINED,)


_cached_header = lru_cache(maxsize=2048)(_parse_header)


def _checked(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise bad_request("A partition key value must be a string, a number, a boolean or null.")
    if isinstance(value, str) and len(value) * 4 > _VALUE_LIMIT_BYTES and len(value.encode()) > _VALUE_LIMIT_BYTES:
        raise bad_request(f"A partition key value can have at most {_VALUE_LIMIT_BYTES} bytes.")
    return number(value) if is_number(value) else value


def _value_at(item: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = item
    for name in path:
        value = value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED
    return value


def key_text(key: Key) -> str:
    """A key as JSON text, the same for equal keys; undefined is `{}` as in the header."""
    return orjson.dumps([{} if value is UNDEFINED else value for value in key]).decode()


def effective_key(text: str, *, hierarchical: bool) -> str:
    """The hash text of a key given as JSON text."""
    compute = _cached_key if len(text) <= _CACHED_LENGTH else _effective_key
    return compute(text, hierarchical=hierarchical)


def _effective_key(text: str, *, hierarchical: bool) -> str:
    values = [UNDEFINED if value == {} else value for value in orjson.loads(text)]
    if hierarchical:
        return "".join(_hash(_component_bytes(value)) for value in values)
    return _hash(b"".join(map(_component_bytes, values)))


_cached_key = lru_cache(maxsize=8192)(_effective_key)


@dataclass(frozen=True, slots=True)
class Range:
    """One physical partition: hashes from `low` to before `high`."""

    number: int
    low: str
    high: str


class RangeMap:
    """The physical partitions of every container; they tile all hashes evenly and never split."""

    def __init__(self, count: int) -> None:
        self._step = _HASHES // count
        edges = [FIRST, *(f"{self._step * place:08X}{'0' * 24}" for place in range(1, count)), LAST]
        self.ranges = [Range(place, edges[place], edges[place + 1]) for place in range(count)]

    def named(self, name: str) -> Range:
        """The partition with a given id.

        Raises:
            CosmosError: 410, as after a split, when there is none.
        """
        if not name.isdecimal() or int(name) >= len(self.ranges):
            raise CosmosError(410, f"There is no partition key range {name!r}.", RANGE_GONE)
        return self.ranges[int(name)]

    def of(self, effective: str) -> Range:
        """The partition that a hash belongs to."""
        return self.ranges[min(int(effective[:8] or "0", 16) // self._step, len(self.ranges) - 1)]
