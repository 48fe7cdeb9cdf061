"""The wire without an SDK: signs requests the way the documentation says and shows replies as they come."""

import base64
import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="


@dataclass(frozen=True)
class Answer:
    """One reply."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def signature(method: str, kind: str, link: str, date: str, key: str = KEY) -> str:
    """The authorization header of a request."""
    text = f"{method.lower()}\n{kind.lower()}\n{link}\n{date.lower()}\n\n"
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return quote(f"type=master&ver=1.0&sig={base64.b64encode(digest).decode()}", safe="")


def send(url: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """Sends one request as it is."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Account:
    """A signing client for one account."""

    url: str

    def call(self, method: str, link: str, body: Any = None, *, key: Any = None, **headers: str) -> Answer:
        """Sends a signed request; header names are given with underscores."""
        parts = [part for part in link.split("/") if part]
        kind, signed = (parts[-1], parts[:-1]) if len(parts) % 2 else (parts[-2] if parts else "", parts)
        date = formatdate(usegmt=True)
        sent = {
            "x-ms-date": date,
            "x-ms-version": "2020-07-15",
            "authorization": signature(method, kind, "/".join(signed), date),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if key is not None:
            sent["x-ms-documentdb-partitionkey"] = json.dumps(key)
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return send(self.url, method, "/" + "/".join(quote(part, safe="") for part in parts), raw, sent)

    def query(self, link: str, text: str, *, key: Any = None, parameters: Any = (), **headers: str) -> Answer:
        """Sends a query."""
        body = {"query": text, "parameters": list(parameters)}
        given = {"x_ms_documentdb_isquery": "True", "content_type": "application/query+json", **headers}
        return self.call("POST", link, body, key=key, **given)
