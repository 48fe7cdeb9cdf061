"""Request charges in request units (RU): a plain model that grows with size and work.

Anchored at published figures of the service: reading 1 KB costs 1 RU and 100 KB about 10, writing 1 KB about 5 and
100 KB about 50. What a query costs on the service depends on its indexes and cannot be copied; here it grows with the
items looked at, the bytes loaded and the bytes returned.
"""

from typing import Final

_KILOBYTE: Final = 1024
METADATA: Final = 2.0
_QUERY_BASE: Final = 2.3
_PER_ITEM: Final = 0.02
_PER_LOADED_KILOBYTE: Final = 0.05
_PER_RETURNED_KILOBYTE: Final = 0.3


def _beyond_first_kilobyte(size_bytes: int) -> float:
    return max(0.0, size_bytes / _KILOBYTE - 1)


def read_charge(size_bytes: int) -> float:
    """A point read."""
    return 1.0 + _beyond_first_kilobyte(size_bytes) * 9 / 99


def write_charge(size_bytes: int, *, replaces: bool = False) -> float:
    """A create, or with `replaces` a change or a delete of what was there."""
    base = 5.29 + _beyond_first_kilobyte(size_bytes) * 45 / 99
    return base * (1.9 if replaces else 1.0)


def query_charge(items: int, loaded_bytes: int, returned_bytes: int) -> float:
    """A page of a query or of a feed."""
    sizes = loaded_bytes * _PER_LOADED_KILOBYTE + returned_bytes * _PER_RETURNED_KILOBYTE
    return _QUERY_BASE + items * _PER_ITEM + sizes / _KILOBYTE
