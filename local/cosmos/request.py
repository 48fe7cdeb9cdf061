"""One request and one reply, as the handlers see them."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from local.cosmos.errors import bad_request


@dataclass(slots=True)
class Request:
    """A request with its path in parts.

    Attributes:
        method: HTTP method in upper case.
        segments: Path between slashes, split first and decoded after, since ids may hold `%` and spaces.
        headers: Header values by name in lower case.
        body: Raw body.
        base_url: Scheme and host as the client sees them, with a slash at the end.
    """

    method: str
    segments: list[str]
    headers: dict[str, str]
    body: bytes
    base_url: str

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            CosmosError: 400 when it is none.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise bad_request(f"The request's body is not JSON: {error}.") from error

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            CosmosError: 400 when it is none.
        """
        body = self.json()
        if not isinstance(body, dict):
            raise bad_request("The request's body must be a JSON object.")
        return body

    def is_true(self, header: str) -> bool:
        """Whether a header says true."""
        return self.headers.get(header, "").lower() == "true"

    def integer(self, header: str, default: int) -> int:
        """A header's whole number.

        Raises:
            CosmosError: 400 when it is none.
        """
        value = self.headers.get(header)
        if value is None:
            return default
        try:
            return int(value)
        except ValueError as error:
            raise bad_request(f"The header {header} must be a whole number.") from error


@dataclass(slots=True)
class Reply:
    """What goes back.

    Attributes:
        status: HTTP status.
        body: JSON, empty for none.
        headers: Headers beyond those every reply has.
        charge: Request units.
        range_id: Physical partition that answered, for the session token.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    charge: float = 1.0
    range_id: str = "0"


def resource_reply(status: int, body: dict[str, Any], charge: float) -> Reply:
    """A reply with one resource."""
    return Reply(status, orjson.dumps(body), {"etag": body["_etag"]} if "_etag" in body else {}, charge)


def feed_reply(
    name: str, rid: str, entries: list[bytes], charge: float, headers: dict[str, str] | None = None
) -> Reply:
    """A reply with a list of resources, each already JSON."""
    body = b'{"_rid":%b,"%b":[%b],"_count":%d}' % (orjson.dumps(rid), name.encode(), b",".join(entries), len(entries))
    return Reply(200, body, {**(headers or {}), "x-ms-item-count": str(len(entries))}, charge)
