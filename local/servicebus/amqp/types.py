"""AMQP 1.0 primitive types that Python has no exact type for (part 1 of the specification).

Python's own types stand for: null, boolean, binary (`bytes`), string (`str`), double (`float`), uuid (`UUID`),
list (`list`) and map (`dict`). Everything else has a type here, so that a value is encoded as it was decoded.
"""

from dataclasses import dataclass, field
from typing import Any


class Symbol(str):
    """Symbolic value from a constrained domain: ASCII text."""

    __slots__ = ()


class UByte(int):
    """Unsigned 8-bit integer."""

    __slots__ = ()


class UShort(int):
    """Unsigned 16-bit integer."""

    __slots__ = ()


class UInt(int):
    """Unsigned 32-bit integer."""

    __slots__ = ()


class ULong(int):
    """Unsigned 64-bit integer."""

    __slots__ = ()


class Byte(int):
    """Signed 8-bit integer."""

    __slots__ = ()


class Short(int):
    """Signed 16-bit integer."""

    __slots__ = ()


class Int(int):
    """Signed 32-bit integer."""

    __slots__ = ()


class Long(int):
    """Signed 64-bit integer."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since the Unix epoch."""

    __slots__ = ()


class Float(float):
    """IEEE 754 32-bit number; a Python float is a 64-bit one."""

    __slots__ = ()


class Char(str):
    """One Unicode character."""

    __slots__ = ()


class Decimal(bytes):
    """IEEE 754 decimal of 4, 8 or 16 bytes, kept as it came."""

    __slots__ = ()


@dataclass(slots=True, frozen=True)
class Described:
    """A value with a descriptor that says what it means."""

    descriptor: Any
    value: Any


@dataclass(slots=True, frozen=True)
class Array:
    """Values of one type.

    Attributes:
        constructor: Format code of every element, for example 0x98 for uuid.
        values: The elements.
        descriptor: The descriptor all elements share, when they are described.
    """

    constructor: int
    values: list[Any] = field(default_factory=list)
    descriptor: Any = None
