"""Decodes AMQP 1.0 values. Safe on hostile bytes: every wrong input ends in DecodeError, in time linear in its size."""

import struct
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from local.servicebus.amqp.errors import DecodeError
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

MAX_DEPTH = 32
MAX_EMPTY_ELEMENTS = 16

_U32 = struct.Struct(">I").unpack_from
_U32_PAIR = struct.Struct(">II").unpack_from

Reader = Callable[[bytes, int, int], tuple[Any, int]]


def decode(data: bytes, position: int = 0) -> tuple[Any, int]:
    """Decodes the value at `position`.

    Returns:
        The value and the position after it.

    Raises:
        DecodeError: The bytes are cut short, malformed or nested deeper than MAX_DEPTH.
    """
    try:
        return _value(data, position, 0)
    except (IndexError, struct.error) as error:
        raise DecodeError("A value is cut short.") from error


def skip(data: bytes, position: int) -> int:
    """The position after the value at `position`, without decoding it.

    Raises:
        DecodeError: The value is cut short or of an unknown type.
    """
    try:
        end = _skip(data, position)
    except (IndexError, struct.error) as error:
        raise DecodeError("A value is cut short.") from error
    if end > len(data):
        raise DecodeError("A value is cut short.")
    return end


def raw_map(data: bytes, position: int) -> dict[str, bytes]:
    """The map at `position` with its values still encoded, so that every type survives.

    Raises:
        DecodeError: There is no map, or a key is not a string or symbol.
    """
    try:
        code = data[position]
        if code == 0xC1:
            count, cursor = data[position + 2], position + 3
        elif code == 0xD1:
            (count,), cursor = _U32(data, position + 5), position + 9
        else:
            raise DecodeError(f"Expected a map, found format code 0x{code:02x}.")
    except (IndexError, struct.error) as error:
        raise DecodeError("A map is cut short.") from error
    values = {}
    for _ in range(count // 2):
        key, start = decode(data, cursor)
        if not isinstance(key, str):
            raise DecodeError("A map key is neither a string nor a symbol.")
        cursor = skip(data, start)
        values[str(key)] = data[start:cursor]
    return values


def raw_list(data: bytes, position: int) -> tuple[list[bytes], int]:
    """The fields of the list at `position`, still encoded, and the position after it.

    Raises:
        DecodeError: There is no list.
    """
    code = data[position] if position < len(data) else -1
    if code == 0x45:
        return [], position + 1
    try:
        if code == 0xC0:
            count, cursor = data[position + 2], position + 3
        elif code == 0xD0:
            (count,), cursor = _U32(data, position + 5), position + 9
        else:
            raise DecodeError(f"Expected a list, found format code 0x{code & 0xFF:02x}.")
    except (IndexError, struct.error) as error:
        raise DecodeError("A list is cut short.") from error
    fields = []
    for _ in range(count):
        end = skip(data, cursor)
        fields.append(data[cursor:end])
        cursor = end
    return fields, cursor


def _skip(data: bytes, position: int) -> int:
    pending = 1
    while pending:
        if data[position] == 0x00:  # a descriptor and a value follow instead of one value
            position += 1
            pending += 1
        else:
            position = _skip_plain(data, position)
            pending -= 1
    return position


def _skip_plain(data: bytes, position: int) -> int:
    code = data[position]
    width = _WIDTHS.get(code)
    if width is not None:
        return position + 1 + width
    group = code & 0xF0
    if group in (0xA0, 0xC0, 0xE0):
        return int(position + 2 + data[position + 1])
    if group in (0xB0, 0xD0, 0xF0):
        (size,) = _U32(data, position + 1)
        return int(position + 5 + size)
    raise DecodeError(f"Unknown format code 0x{code:02x}.")


def _value(data: bytes, position: int, depth: int) -> tuple[Any, int]:
    code = data[position]
    if code == 0x00:
        if depth >= MAX_DEPTH:
            raise DecodeError(f"Values are nested deeper than {MAX_DEPTH}.")
        descriptor, position = _value(data, position + 1, depth + 1)
        value, position = _value(data, position, depth + 1)
        return Described(descriptor, value), position
    return _READERS[code](data, position + 1, depth)


def _unknown(code: int, _data: bytes, _position: int, _depth: int) -> tuple[Any, int]:
    raise DecodeError(f"Unknown format code 0x{code:02x}.")


def _constant(value: Any, _data: bytes, position: int, _depth: int) -> tuple[Any, int]:
    return value, position


def _number(
    unpack: Callable[[bytes, int], tuple[Any, ...]],
    width: int,
    kind: Callable[[Any], Any],
    data: bytes,
    position: int,
    _depth: int,
) -> tuple[Any, int]:
    return kind(unpack(data, position)[0]), position + width


def _boolean(data: bytes, position: int, _depth: int) -> tuple[Any, int]:
    if data[position] > 1:
        raise DecodeError(f"A boolean octet must be 0 or 1, not {data[position]}.")
    return data[position] == 1, position + 1


def _char(data: bytes, position: int, _depth: int) -> tuple[Any, int]:
    (point,) = _U32(data, position)
    if point > 0x10FFFF:
        raise DecodeError(f"0x{point:x} is not a Unicode character.")
    return Char(chr(point)), position + 4


def _fixed(kind: Callable[[bytes], Any], width: int, data: bytes, position: int, _depth: int) -> tuple[Any, int]:
    return kind(_take(data, position, width)), position + width


def _take(data: bytes, position: int, size: int) -> bytes:
    end = position + size
    if end > len(data):
        raise DecodeError("A value is cut short.")
    return data[position:end]


def _uuid(raw: bytes) -> UUID:
    return UUID(bytes=raw)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError("A string is not UTF-8.") from error


def _symbol(raw: bytes) -> Symbol:
    try:
        return Symbol(raw.decode("ascii"))
    except UnicodeDecodeError as error:
        raise DecodeError("A symbol is not ASCII.") from error


def _short(kind: Callable[[bytes], Any], data: bytes, position: int, _depth: int) -> tuple[Any, int]:
    size = data[position]
    return kind(_take(data, position + 1, size)), position + 1 + size


def _wide(kind: Callable[[bytes], Any], data: bytes, position: int, _depth: int) -> tuple[Any, int]:
    (size,) = _U32(data, position)
    return kind(_take(data, position + 4, size)), position + 4 + size


def _compound(wide: bool, data: bytes, position: int) -> tuple[int, int, int]:
    """Element count, position of the first element and position after the last."""
    if wide:
        size, count = _U32_PAIR(data, position)
        body, end = position + 8, position + 4 + size
    else:
        size, count = data[position], data[position + 1]
        body, end = position + 2, position + 1 + size
    if end > len(data) or body > end:
        raise DecodeError("A list, map or array is cut short.")
    return count, body, end


def _list(wide: bool, data: bytes, position: int, depth: int) -> tuple[Any, int]:
    if depth >= MAX_DEPTH:
        raise DecodeError(f"Values are nested deeper than {MAX_DEPTH}.")
    count, position, end = _compound(wide, data, position)
    values = []
    for _ in range(count):
        value, position = _value(data, position, depth + 1)
        values.append(value)
    _check_end(position, end)
    return values, end


def _map(wide: bool, data: bytes, position: int, depth: int) -> tuple[Any, int]:
    pairs, end = _list(wide, data, position, depth)
    if len(pairs) % 2:
        raise DecodeError("A map has a key without a value.")
    try:
        return dict(zip(pairs[::2], pairs[1::2], strict=True)), end
    except TypeError as error:
        raise DecodeError("A map key is a list or map.") from error


def _array(wide: bool, data: bytes, position: int, depth: int) -> tuple[Any, int]:
    if depth >= MAX_DEPTH:
        raise DecodeError(f"Values are nested deeper than {MAX_DEPTH}.")
    count, position, end = _compound(wide, data, position)
    descriptor = None
    if data[position] == 0x00:
        descriptor, position = _value(data, position + 1, depth + 1)
    constructor = data[position]
    position += 1
    if _WIDTHS.get(constructor) == 0 and count > MAX_EMPTY_ELEMENTS:
        raise DecodeError(f"An array of elements without bytes has more than {MAX_EMPTY_ELEMENTS} of them.")
    if count == 0 and constructor not in _FORMAT_CODES:
        raise DecodeError(f"Unknown format code 0x{constructor:02x}.")
    read, values = _READERS[constructor], []
    for _ in range(count):
        value, position = read(data, position, depth + 1)
        values.append(value)
    _check_end(position, end)
    return Array(constructor, values, descriptor), end


def _check_end(position: int, end: int) -> None:
    if position != end:
        raise DecodeError("The size of a list, map or array does not match its elements.")


def _empty_list(_data: bytes, position: int, _depth: int) -> tuple[Any, int]:
    return [], position


_WIDTHS = {
    **dict.fromkeys((0x40, 0x41, 0x42, 0x43, 0x44, 0x45), 0),
    **dict.fromkeys((0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56), 1),
    **dict.fromkeys((0x60, 0x61), 2),
    **dict.fromkeys((0x70, 0x71, 0x72, 0x73, 0x74), 4),
    **dict.fromkeys((0x80, 0x81, 0x82, 0x83, 0x84), 8),
    **dict.fromkeys((0x94, 0x98), 16),
}

_NUMBERS: dict[int, tuple[str, Callable[[Any], Any]]] = {
    0x50: (">B", UByte),
    0x51: (">b", Byte),
    0x52: (">B", UInt),
    0x53: (">B", ULong),
    0x54: (">b", Int),
    0x55: (">b", Long),
    0x60: (">H", UShort),
    0x61: (">h", Short),
    0x70: (">I", UInt),
    0x71: (">i", Int),
    0x72: (">f", Float),
    0x80: (">Q", ULong),
    0x81: (">q", Long),
    0x82: (">d", float),
    0x83: (">q", Timestamp),
}

_READERS: list[Reader] = [partial(_unknown, code) for code in range(256)]
for _code, (_format, _kind) in _NUMBERS.items():
    _READERS[_code] = partial(_number, struct.Struct(_format).unpack_from, _WIDTHS[_code], _kind)
for _code, _constant_value in {0x40: None, 0x41: True, 0x42: False, 0x43: UInt(0), 0x44: ULong(0)}.items():
    _READERS[_code] = partial(_constant, _constant_value)
for _code in (0x74, 0x84, 0x94):
    _READERS[_code] = partial(_fixed, Decimal, _WIDTHS[_code])
_VARIABLES: dict[int, Callable[[bytes], Any]] = {0xA0: bytes, 0xA1: _text, 0xA3: _symbol}
for _code, _text_kind in _VARIABLES.items():
    _READERS[_code] = partial(_short, _text_kind)
    _READERS[_code + 0x10] = partial(_wide, _text_kind)
for _code, _compound_reader in {0xC0: _list, 0xC1: _map, 0xE0: _array}.items():
    _READERS[_code] = partial(_compound_reader, False)
    _READERS[_code + 0x10] = partial(_compound_reader, True)
_READERS[0x45] = _empty_list
_READERS[0x56] = _boolean
_READERS[0x73] = _char
_READERS[0x98] = partial(_fixed, _uuid, 16)

_FORMAT_CODES = frozenset(code for code, reader in enumerate(_READERS) if getattr(reader, "func", None) is not _unknown)
