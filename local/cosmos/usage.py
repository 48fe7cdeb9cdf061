"""Counts of what was asked: by operation, container and status, with the request charge."""

from typing import Any, Final

_ENTRIES_LIMIT: Final = 10_000


class Usage:
    """Counts requests."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str | None, int], list[float]] = {}

    def count(self, operation: str, container: str | None, status: int, charge: float) -> None:
        """Takes one answered request. Containers past a bound are counted together under no name."""
        name = (operation, container, status)
        if name not in self._counts and len(self._counts) >= _ENTRIES_LIMIT:
            name = (operation, None, status)
        entry = self._counts.setdefault(name, [0, 0.0])
        entry[0] += 1
        entry[1] += charge

    def report(self) -> dict[str, Any]:
        """All counts and the total charge."""
        operations = [
            {
                "operation": operation,
                "container": container,
                "status": status,
                "count": int(count),
                "request_charge": round(charge, 2),
            }
            for (operation, container, status), (count, charge) in self._counts.items()
        ]
        total = sum(charge for _, charge in self._counts.values())
        return {"operations": operations, "request_charge": round(total, 2)}
