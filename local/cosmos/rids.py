"""Resource ids (`_rid`): base64 of little-endian numbers, with `-` for `/`.

A database has 4 bytes, a container 8 (its second number with the top bit set), an item 16.
"""

import base64
import binascii
import struct
from typing import Final

_CONTAINER_BIT: Final = 0x80000000
_ITEM_LENGTH: Final = 24


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode().replace("/", "-")


def database_rid(number: int) -> str:
    """The resource id of a database."""
    return _encode(struct.pack("<I", number))


def container_rid(database: int, number: int) -> str:
    """The resource id of a container."""
    return _encode(struct.pack("<II", database, number | _CONTAINER_BIT))


def item_rid(database: int, container: int, number: int) -> str:
    """The resource id of an item."""
    return _encode(struct.pack("<IIQ", database, container | _CONTAINER_BIT, number))


def item_number(rid: str) -> int | None:
    """The number in an item's resource id, or None when the text is none."""
    if len(rid) != _ITEM_LENGTH or not rid.endswith("=="):
        return None
    try:
        number: int = struct.unpack("<IIQ", base64.b64decode(rid.replace("-", "/"), validate=True))[2]
    except (binascii.Error, struct.error):
        return None
    return number if number < 2**63 else None
