"""A small client of the service under test, over plain HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx2


@dataclass(frozen=True, slots=True)
class Table:
    """A query's primary result."""

    columns: tuple[tuple[str, str], ...]
    rows: list[list[Any]]

    @property
    def values(self) -> list[Any]:
        """The first column."""
        return [row[0] for row in self.rows]


class Insights:
    """Sends telemetry and asks questions."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, timeout=30, trust_env=False)

    def send(self, envelopes: list[dict[str, Any]]) -> dict[str, Any]:
        answer = self.http.post("/v2.1/track", json=envelopes)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ask(self, query: str, *, now: str | None = None, timespan: str | None = None) -> httpx2.Response:
        body = {"query": query} | ({"timespan": timespan} if timespan else {})
        return self.http.post("/v1/apps/local/query", json=body, headers={"x-sim-now": now} if now else {})

    def table(self, query: str, *, now: str | None = None, timespan: str | None = None) -> Table:
        answer = self.ask(query, now=now, timespan=timespan)
        assert answer.status_code == 200, f"{answer.text}\n{query}"
        (found,) = answer.json()["tables"]
        assert found["name"] == "PrimaryResult"
        return Table(tuple((column["name"], column["type"]) for column in found["columns"]), found["rows"])

    def rows(self, query: str, *, now: str | None = None, timespan: str | None = None) -> list[list[Any]]:
        return self.table(query, now=now, timespan=timespan).rows

    def error(self, query: str) -> dict[str, Any]:
        answer = self.ask(query)
        assert answer.status_code >= 400, answer.text
        return dict(answer.json()["error"])

    def account(self) -> dict[str, Any]:
        return dict(self.http.get("/_sim/account").json())

    def close(self) -> None:
        self.http.close()
