"""Indexing policies: stored and returned as given, and asked what ORDER BY may use.

There is no index of ours to steer; the rules are kept so that an ORDER BY which the service refuses is refused here.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from local.cosmos.errors import bad_request

_SEGMENT: Final = re.compile(r'/(?:"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|([^/"\']+))')

Path = tuple[str, ...]
OrderKeys = tuple[tuple[Path, bool], ...]


def split_path(path: Any) -> Path:
    """The names in `/a/b`; quoted names may hold slashes.

    Raises:
        CosmosError: The text is no such path.
    """
    if not isinstance(path, str) or not path.startswith("/"):
        raise bad_request(f"{path!r} is not a path; paths start with a slash.")
    names: list[str] = []
    place = 0
    while place < len(path):
        match = _SEGMENT.match(path, place)
        if match is None:
            raise bad_request(f"{path!r} is not a path.")
        names.append(next(name for name in match.groups() if name is not None))
        place = match.end()
    return tuple(names)


@dataclass(frozen=True, slots=True)
class IndexingPolicy:
    """Which paths are indexed, and which combinations.

    Attributes:
        rules: Paths with their last `*` or `?`, and whether they are included.
        composites: Paths with `descending`, per composite index.
    """

    rules: tuple[tuple[Path, bool], ...]
    composites: tuple[OrderKeys, ...]

    @classmethod
    def read(cls, policy: dict[str, Any]) -> "IndexingPolicy":
        """Checks a policy.

        Raises:
            CosmosError: 400 that names what is wrong.
        """
        mode = str(policy.get("indexingMode", "consistent")).lower()
        if mode not in {"consistent", "none"}:
            raise bad_request("indexingPolicy.indexingMode must be 'consistent' or 'none'.")
        included = () if mode == "none" else _paths(policy, "includedPaths")
        rules = [(path, True) for path in included] + [(path, False) for path in _paths(policy, "excludedPaths")]
        return cls(tuple(rules), tuple(map(_composite, _list(policy, "compositeIndexes"))))

    def is_included(self, path: Path) -> bool:
        """Whether a scalar at a path is indexed; the longest rule that fits decides, and `?` before `*`."""
        best, result = (-1, False), False
        for rule, included in self.rules:
            *names, end = rule
            fits = path[: len(names)] == tuple(names) and (end == "*" or len(path) == len(names))
            if fits and (len(names), end == "?") > best:
                best, result = (len(names), end == "?"), included
        return result

    def serves(self, keys: OrderKeys) -> bool:
        """Whether a composite index has exactly these keys, in these directions or in all the opposite ones."""
        opposite = tuple((path, not descending) for path, descending in keys)
        return keys in self.composites or opposite in self.composites


def _list(policy: dict[str, Any], name: str) -> list[Any]:
    value = policy.get(name) or []
    if not isinstance(value, list):
        raise bad_request(f"indexingPolicy.{name} must be an array.")
    return value


def _paths(policy: dict[str, Any], name: str) -> list[Path]:
    paths: list[Path] = []
    for entry in _list(policy, name):
        path = split_path(entry.get("path") if isinstance(entry, dict) else None)
        if path[-1] not in {"*", "?"}:
            path = (*path, "?") if path[-1] != "[]" else path
        paths.append(path)
    return paths


def _composite(entries: Any) -> OrderKeys:
    if not isinstance(entries, list) or len(entries) < 2 or not all(isinstance(entry, dict) for entry in entries):
        raise bad_request("A composite index is an array of at least two paths.")
    keys: list[tuple[Path, bool]] = []
    for entry in entries:
        order = str(entry.get("order", "ascending")).lower()
        if order not in {"ascending", "descending"}:
            raise bad_request("A composite index path's order must be 'ascending' or 'descending'.")
        keys.append((split_path(entry.get("path")), order == "descending"))
    return tuple(keys)
