"""Continuation tokens: where the next page of a query starts."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from local.cosmos.errors import bad_request
from local.cosmos.sql.values import UNDEFINED, Undefined


@dataclass(frozen=True, slots=True)
class Continuation:
    """The end of the page before; one of the three.

    Attributes:
        place: Hash and number of the last item of a scan, or of the last row under ORDER BY.
        keys: What the last row under ORDER BY was ordered by.
        skip: Number of results already returned, for queries whose results have no place of their own.
    """

    place: tuple[str, int] | None = None
    keys: tuple[Any, ...] | None = None
    skip: int = 0

    def text(self) -> str:
        """The token for the client."""
        keys = None if self.keys is None else [[] if key is UNDEFINED else [key] for key in self.keys]
        return base64.urlsafe_b64encode(orjson.dumps([1, self.place, keys, self.skip])).decode()


def read_continuation(text: str | None) -> Continuation | None:
    """The token in a request.

    Raises:
        CosmosError: 400 when it is none of this server.
    """
    if not text:
        return None
    try:
        version, place, keys, skip = orjson.loads(base64.urlsafe_b64decode(text))
        whole = None if place is None else (str(place[0]), int(place[1]))
        values: list[Any | Undefined] | None = None if keys is None else [key[0] if key else UNDEFINED for key in keys]
    except (binascii.Error, ValueError, TypeError, LookupError) as error:
        raise bad_request("The continuation token is not one of this server.") from error
    if version != 1 or type(skip) is not int or skip < 0:
        raise bad_request("The continuation token is not one of this server.")
    return Continuation(whole, None if values is None else tuple(values), skip)
