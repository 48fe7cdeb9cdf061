"""Entity tags and timestamps."""

import time
import uuid
from typing import Any


def new_etag() -> str:
    """An entity tag nobody else has, with its quotes."""
    return f'"{uuid.uuid4()}"'


def stamp() -> dict[str, Any]:
    """The system members that change whenever a resource does."""
    return {"_etag": new_etag(), "_ts": int(time.time())}
