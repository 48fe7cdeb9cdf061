"""The map a management request carries, read with types and limits."""

from typing import Any
from uuid import UUID

from local.servicebus.amqp.types import Array
from local.servicebus.broker.errors import BadRequest

MAX_ITEMS = 10_000


class Arguments:
    """Typed access to the body of a request; every mistake is a BadRequest that names the key."""

    def __init__(self, body: Any) -> None:
        if body is not None and not isinstance(body, dict):
            raise BadRequest("The body of a management request must be a map.")
        self._values: dict[Any, Any] = body or {}

    def integer(self, key: str) -> int:
        """A whole number."""
        return int(self._typed(key, int))

    def text(self, key: str) -> str:
        """A string."""
        return str(self._typed(key, str))

    def optional_text(self, key: str) -> str | None:
        """A string, or None when it is absent or null."""
        return None if self._values.get(key) is None else self.text(key)

    def optional_binary(self, key: str) -> bytes | None:
        """Bytes, or None when they are absent or null."""
        return None if self._values.get(key) is None else bytes(self._typed(key, bytes))

    def optional_map(self, key: str) -> dict[str, Any]:
        """A map with its keys as strings; empty when it is absent or null."""
        value = {} if self._values.get(key) is None else self._typed(key, dict)
        return {str(name): item for name, item in value.items()}

    def integers(self, key: str) -> list[int]:
        """An array or list of whole numbers."""
        return [int(item) for item in self._items(key, int)]

    def lock_tokens(self, key: str) -> list[bytes]:
        """An array or list of uuids, as lock tokens (delivery-tag byte order)."""
        return [item.bytes_le for item in self._items(key, UUID)]

    def maps(self, key: str) -> list["Arguments"]:
        """A list of maps."""
        return [Arguments(item) for item in self._items(key, dict)]

    def binary(self, key: str) -> bytes:
        """Bytes."""
        return bytes(self._typed(key, bytes))

    def _typed(self, key: str, kind: type) -> Any:
        value = self._values.get(key)
        if not isinstance(value, kind):
            raise BadRequest(f"The request needs '{key}' as {kind.__name__}, not {type(value).__name__}.")
        return value

    def _items(self, key: str, kind: type) -> list[Any]:
        value = self._values.get(key)
        items = value.values if isinstance(value, Array) else value
        if not isinstance(items, list) or not all(isinstance(item, kind) for item in items):
            raise BadRequest(f"The request needs '{key}' as an array or list of {kind.__name__}.")
        if len(items) > MAX_ITEMS:
            raise BadRequest(f"'{key}' has {len(items)} items; at most {MAX_ITEMS} are taken at once.")
        return items
