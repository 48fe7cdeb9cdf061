"""Function keys: who may call an HTTP function."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from local.host.errors import HostError
from local.host.web.routes import Route

_MOST_PARAMETERS = 1000
_SHAPE = '{"master": "...", "default": "...", "functions": {"name": {"default": "..."}}}'


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an app.

    Attributes:
        master: Opens everything.
        host: Keys that open every function of level `function`.
        functions: More keys by function name.
    """

    master: str
    host: frozenset[str] = frozenset()
    functions: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_master(self, presented: str | None) -> bool:
        """Whether a request carries the master key."""
        return presented is not None and hmac.compare_digest(self.master.encode(), presented.encode())

    def allow(self, route: Route, presented: str | None) -> bool:
        """Whether a request with this key, or none, may call the route's function."""
        if route.level == "anonymous":
            return True
        if not presented:
            return False
        accepted = [self.master]
        if route.level == "function":
            accepted += [*self.host, *self.functions.get(route.function.name, ())]
        return any(hmac.compare_digest(key.encode(), presented.encode()) for key in accepted)


def presented_key(headers: Mapping[bytes, bytes], query: bytes) -> str | None:
    """The key of a request: the header `x-functions-key`, else the query parameter `code`."""
    header = headers.get(b"x-functions-key")
    if header is not None:
        return header.decode("latin-1")
    if b"code=" not in query:
        return None
    try:
        values = parse_qs(query.decode("latin-1"), max_num_fields=_MOST_PARAMETERS).get("code")
    except ValueError:
        # More parameters than anybody needs: as if there were none.
        return None
    return values[0] if values else None


def read(path: Path) -> Keys:
    """Reads a key file.

    Raises:
        HostError: The file cannot be read or has another shape.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise HostError(f"Cannot read the key file {path}: {error}") from error
    return parse(document, str(path))


def parse(document: Any, source: str) -> Keys:
    """Checks a decoded key file.

    Raises:
        HostError: It has another shape; shows the right one.
    """
    functions = document.get("functions", {}) if isinstance(document, dict) else None
    if not isinstance(functions, dict) or not all(isinstance(named, dict) for named in functions.values()):
        raise HostError(f"{source} must hold {_SHAPE}.")
    texts = [document.get("master"), document.get("default", "-")]
    texts += [key for named in functions.values() for key in named.values()]
    if not all(isinstance(text, str) and text for text in texts):
        raise HostError(f"{source}: every key must be a non-empty string; the shape is {_SHAPE}.")
    return Keys(
        master=document["master"],
        host=frozenset({document["default"]} if "default" in document else ()),
        functions={name: frozenset(named.values()) for name, named in functions.items()},
    )
