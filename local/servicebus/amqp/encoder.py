"""Encodes AMQP 1.0 values, each in its smallest form."""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from local.servicebus.amqp.types import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float,
    Int,
    Long,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

NULL = b"\x40"
TRUE = b"\x41"
FALSE = b"\x42"

_PACK_UBYTE_U32 = struct.Struct(">BI").pack
_PACK_COMPOUND = struct.Struct(">BII").pack
_PACK_LONG = struct.Struct(">Bq").pack


def encode(value: Any) -> bytes:
    """Encodes a value by its exact type.

    Raises:
        TypeError: The type has no AMQP counterpart; a plain `int` has none, because its width is unknown.
    """
    if value is None:
        return NULL
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        raise TypeError(f"{type(value).__name__} has no AMQP type.")
    return encoder(value)


def uint(value: int) -> bytes:
    """An unsigned 32-bit integer."""
    if value == 0:
        return b"\x43"
    return bytes((0x52, value)) if value < 256 else _PACK_UBYTE_U32(0x70, value)


def long(value: int) -> bytes:
    """A signed 64-bit integer in its wide form."""
    return _PACK_LONG(0x81, value)


def timestamp(seconds: float) -> bytes:
    """A point in time, from seconds since the Unix epoch."""
    return _PACK_LONG(0x83, int(seconds * 1000))


def encoded_list(fields: Sequence[bytes]) -> bytes:
    """A list of values that are encoded already."""
    if not fields:
        return b"\x45"
    return _compound(0xC0, b"".join(fields), len(fields))


def encoded_map(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A map of keys and values that are encoded already."""
    parts = [part for pair in pairs for part in pair]
    return _compound(0xC1, b"".join(parts), len(parts))


def described(code: int, body: bytes) -> bytes:
    """An encoded value under a descriptor of the AMQP name space, for example 0x24 for accepted."""
    return bytes((0x00, 0x53, code)) + body


def _compound(code: int, body: bytes, count: int) -> bytes:
    size = len(body)
    if size < 255 and count < 256:
        return bytes((code, size + 1, count)) + body
    return _PACK_COMPOUND(code + 0x10, size + 4, count) + body


def _variable(code: int, raw: bytes) -> bytes:
    size = len(raw)
    return bytes((code, size)) + raw if size < 256 else _PACK_UBYTE_U32(code + 0x10, size) + raw


def _ulong(value: int) -> bytes:
    if value == 0:
        return b"\x44"
    return bytes((0x53, value)) if value < 256 else struct.pack(">BQ", 0x80, value)


def _signed(small: int, code: int, layout: str, value: int) -> bytes:
    if -128 <= value < 128:
        return struct.pack(">Bb", small, value)
    return struct.pack(layout, code, value)


def _array(value: Array) -> bytes:
    constructor = _WIDE_FORMS.get(value.constructor, value.constructor)
    pack = _ARRAY_ELEMENTS[constructor]
    head = b"" if value.descriptor is None else b"\x00" + encode(value.descriptor)
    body = head + bytes((constructor,)) + b"".join([pack(element) for element in value.values])
    return _compound(0xE0, body, len(value.values))


def _wide(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw


def _wide_compound(body: bytes, count: int) -> bytes:
    return struct.pack(">II", len(body) + 4, count) + body


def _array_element(value: Array) -> bytes:
    encoded = _array(value)
    if encoded[0] == 0xF0:
        return encoded[1:]
    return struct.pack(">II", encoded[1] + 3, encoded[2]) + encoded[3:]


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    bytes: lambda value: _variable(0xA0, value),
    str: lambda value: _variable(0xA1, value.encode("utf-8")),
    Symbol: lambda value: _variable(0xA3, value.encode("ascii")),
    UByte: lambda value: bytes((0x50, value)),
    UShort: lambda value: struct.pack(">BH", 0x60, value),
    UInt: uint,
    ULong: _ulong,
    Byte: lambda value: struct.pack(">Bb", 0x51, value),
    Short: lambda value: struct.pack(">Bh", 0x61, value),
    Int: lambda value: _signed(0x54, 0x71, ">Bi", value),
    Long: lambda value: _signed(0x55, 0x81, ">Bq", value),
    Timestamp: lambda value: _PACK_LONG(0x83, value),
    Float: lambda value: struct.pack(">Bf", 0x72, value),
    float: lambda value: struct.pack(">Bd", 0x82, value),
    Char: lambda value: struct.pack(">BI", 0x73, ord(value)),
    Decimal: lambda value: bytes(({4: 0x74, 8: 0x84, 16: 0x94}[len(value)],)) + value,
    UUID: lambda value: b"\x98" + value.bytes,
    list: lambda value: encoded_list([encode(item) for item in value]),
    dict: lambda value: encoded_map([(encode(key), encode(item)) for key, item in value.items()]),
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
    Array: _array,
}

_ARRAY_ELEMENTS: dict[int, Callable[[Any], bytes]] = {
    0x40: lambda _value: b"",
    0x41: lambda _value: b"",
    0x42: lambda _value: b"",
    0x43: lambda _value: b"",
    0x44: lambda _value: b"",
    0x45: lambda _value: b"",
    0x50: lambda value: bytes((value,)),
    0x51: struct.Struct(">b").pack,
    0x52: lambda value: bytes((value,)),
    0x53: lambda value: bytes((value,)),
    0x54: struct.Struct(">b").pack,
    0x55: struct.Struct(">b").pack,
    0x56: lambda value: bytes((value,)),
    0x60: struct.Struct(">H").pack,
    0x61: struct.Struct(">h").pack,
    0x70: struct.Struct(">I").pack,
    0x71: struct.Struct(">i").pack,
    0x72: struct.Struct(">f").pack,
    0x73: lambda value: struct.pack(">I", ord(value)),
    0x74: bytes,
    0x80: struct.Struct(">Q").pack,
    0x81: struct.Struct(">q").pack,
    0x82: struct.Struct(">d").pack,
    0x83: struct.Struct(">q").pack,
    0x84: bytes,
    0x94: bytes,
    0x98: lambda value: bytes(value.bytes),
    0xA0: lambda value: bytes((len(value),)) + value,
    0xA1: lambda value: bytes((len(value.encode()),)) + value.encode(),
    0xA3: lambda value: bytes((len(value),)) + value.encode("ascii"),
    0xB0: _wide,
    0xB1: lambda value: _wide(value.encode()),
    0xB3: lambda value: _wide(value.encode("ascii")),
    0xD0: lambda value: _wide_compound(b"".join([encode(item) for item in value]), len(value)),
    0xD1: lambda value: _wide_compound(
        b"".join([encode(key) + encode(item) for key, item in value.items()]), 2 * len(value)
    ),
    0xF0: _array_element,
}

_WIDE_FORMS = {0xC0: 0xD0, 0xC1: 0xD1, 0xE0: 0xF0}
