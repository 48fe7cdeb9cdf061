"""What a caller wants of the cache: the request's Cache-Control, and what a turn keeps of it."""

import re
from typing import Any

from shared.turns import Turn

MAX_AGE = re.compile(r"max-age=\"?(\d{1,9})\"?")
OFF, EXACT, SEMANTIC = "off", "exact", "semantic"


def caching(match: str, cache_control: str) -> dict[str, Any] | None:
    """A turn's `caching`, None on a route that has not opted in.

    Args:
        match: The route's setting: `off`, `exact` or `semantic`.
        cache_control: The request's header: `no-store` neither takes an answer from the cache nor leaves one there,
            `no-cache` (or `max-age=0`) asks the model and renews the entry, `max-age=N` takes none that is older.
            Source: RFC 9111, section 5.2.1.
    """
    if match == OFF:
        return None
    directives = [part.strip().lower() for part in cache_control.split(",")]
    age = next((int(found[1]) for part in directives if (found := MAX_AGE.fullmatch(part))), None)
    fresh = bool({"no-cache", "no-store"} & set(directives))
    return {"match": match, "max_age_seconds": 0 if fresh else age, "keep": "no-store" not in directives}


def wants_new(turn: Turn) -> bool:
    """The caller wants an answer of the model, whatever the cache has."""
    return turn.caching is not None and turn.caching["max_age_seconds"] == 0


def may_keep(turn: Turn) -> bool:
    """The answer may be used for others."""
    return turn.caching is not None and bool(turn.caching["keep"])


def cache_status(turn: Turn, kind: str | None) -> str | None:
    """The response header Cache-Status (RFC 9211); None when the route has not opted in.

    Args:
        turn: As it was accepted.
        kind: How its answer was found; None when the model is asked.
    """
    if turn.caching is None:
        return None
    if kind is not None:
        return f"spillway; hit; detail={kind}" if kind != "shared" else "spillway; fwd=miss; collapsed"
    return f"spillway; fwd={'request' if wants_new(turn) else 'miss'}"
