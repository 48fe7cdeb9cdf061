"""The functions of Bicep that the templates use, as far as they can be known without Azure."""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from itertools import chain
from typing import Any

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-8888-7777-6666-555555555555"
NOW = {"yyyy-MM": "2026-01"}


def unique_string(*seeds: str) -> str:
    """Thirteen lower-case letters and digits that follow from the seeds, as Azure's own; not the same ones."""
    digest = hashlib.sha256("\0".join(seeds).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:13]


def union(*values: Any) -> Any:
    """Objects merged, deeply, the last one wins; or arrays joined without repetition."""
    if isinstance(values[0], list):
        joined = list(chain(*values))
        return [item for n, item in enumerate(joined) if item not in joined[:n]]
    merged: dict[str, Any] = {}
    for value in values:
        for name, entry in value.items():
            both = isinstance(entry, dict) and isinstance(merged.get(name), dict)
            merged[name] = union(merged[name], entry) if both else entry
    return merged


def as_string(value: Any) -> str:
    """Text as it is, anything else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def substring(value: str, start: int, length: int | None = None) -> str:
    """A part of a text; Azure refuses one that is out of range."""
    end = len(value) if length is None else start + length
    if start < 0 or end > len(value):
        raise ValueError(f"substring {start}..{end} is outside of a text of {len(value)} characters")
    return value[start:end]


def contains(value: Any, part: Any) -> bool:
    """Whether a text, an array or an object (by key, whatever its case) has the part."""
    return str(part).lower() in {str(key).lower() for key in value} if isinstance(value, dict) else part in value


def subscription_resource_id(kind: str, *names: str) -> str:
    """The id of a resource of the subscription itself."""
    return f"/subscriptions/{SUBSCRIPTION}/providers/{kind}/{'/'.join(names)}"


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "any": lambda value: value,
    "concat": lambda *values: list(chain(*values)) if isinstance(values[0], list) else "".join(values),
    "contains": contains,
    "empty": lambda value: not value,
    "filter": lambda values, keep: [value for value in values if keep(value)],
    "items": lambda value: [{"key": key, "value": value[key]} for key in sorted(value)],
    "guid": lambda *seeds: str(uuid.uuid5(uuid.NAMESPACE_URL, "\0".join(seeds))),
    "join": lambda values, glue: glue.join(values),
    "length": len,
    "map": lambda values, change: [change(value) for value in values],
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda value, old, new: value.replace(old, new),
    "string": as_string,
    "subscriptionResourceId": subscription_resource_id,
    "substring": substring,
    "take": lambda value, count: value[: max(0, count)],
    "toLower": lambda value: value.lower(),
    "union": union,
    "uniqueString": unique_string,
    "utcNow": lambda form: NOW[form],
    "subscription": lambda: {"id": f"/subscriptions/{SUBSCRIPTION}", "tenantId": TENANT},
    "environment": lambda: {
        "suffixes": {"storage": "core.windows.net"},
        "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    },
}
