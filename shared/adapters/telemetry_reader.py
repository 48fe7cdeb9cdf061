"""Asks Application Insights' query API, which the local Application Insights speaks as well."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from shared.errors import QueryFailed, Unavailable

SCOPE = "https://api.applicationinsights.io/.default"
SECONDS = 40.0
MOST_BYTES = 8_000_000
Token = Callable[[], Awaitable[str]]


class TelemetryReader:
    """Runs KQL over the tables of one Application Insights resource."""

    def __init__(self, endpoint: str, token: Token | None) -> None:
        """Connects with the first query.

        Args:
            endpoint: Address of the resource's query operation: https://api.applicationinsights.io/v1/apps/ID/query.
            token: Gives an access token for `SCOPE`; None for the local service, which wants none.
        """
        self._endpoint, self._token = endpoint, token
        self._http: httpx2.AsyncClient | None = None

    async def ask(self, query: str) -> dict[str, Any]:
        """See `shared.workbook.service.Reader`."""
        if self._http is None:
            self._http = httpx2.AsyncClient(timeout=SECONDS)
        headers = {} if self._token is None else {"Authorization": f"Bearer {await self._token()}"}
        body = bytearray()
        try:
            async with self._http.stream("POST", self._endpoint, json={"query": query}, headers=headers) as response:
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise QueryFailed(f"The result is larger than {MOST_BYTES} bytes. Choose a shorter time range.")
        except httpx2.HTTPError as error:
            raise Unavailable("The telemetry service does not answer. Try again.", retry_after_seconds=5) from error
        if response.status_code == 429 or response.status_code >= 500:
            said = f"The telemetry service answers {response.status_code}. Try again, or choose a shorter time range."
            raise Unavailable(said, retry_after_seconds=5)
        return _table(response.status_code, bytes(body))

    async def close(self) -> None:
        """Closes the connection."""
        if self._http is not None:
            await self._http.aclose()


def _table(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise QueryFailed(f"The telemetry service answered {status} with something that is not JSON.") from error
    if status != 200:
        raise QueryFailed(f"The telemetry service refused the query: {_reason(answer)}")
    (table, *_) = answer["tables"]
    return {
        "columns": [{"name": column["name"], "type": column["type"]} for column in table["columns"]],
        "rows": table["rows"],
        "partial": _reason(answer) if "error" in answer else None,
    }


def _reason(answer: dict[str, Any]) -> str:
    """The innermost message of an error, which says most."""
    error: dict[str, Any] = answer.get("error") or {}
    while isinstance(error.get("innererror"), dict):
        error = error["innererror"]
    return str(error.get("message") or "no reason given")[:500]
