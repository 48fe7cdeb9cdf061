"""Runs the workbook's queries for operators."""

from collections.abc import Mapping
from typing import Any, Protocol

from shared.errors import RouteNotFound
from shared.workbook.document import load
from shared.workbook.values import fill_in

PORTAL = "https://portal.azure.com/"


class Reader(Protocol):
    """Where telemetry can be asked for."""

    async def ask(self, query: str) -> dict[str, Any]:
        """The result of a KQL query: `columns` (name and type each) and `rows`, and `partial` when rows are missing.

        Raises:
            QueryFailed: It was refused or ran too long.
            Unavailable: Nobody answers.
        """


class WorkbookQueries:
    """The workbook and, where a telemetry service is known, the results of its queries."""

    def __init__(self, reader: Reader | None, *, portal_url: str | None) -> None:
        """Takes who answers queries, if anyone does, and where the workbook is in the portal."""
        self._reader = reader
        # Who sees no charts here is led to where they are.
        self._portal_url = portal_url or (PORTAL if reader is None else None)

    def describe(self) -> dict[str, Any]:
        """The workbook, whether its queries can be run here, and its address in the portal."""
        return {
            "workbook": load().content,
            "queries": self._reader is not None,
            "portal_url": self._portal_url,
        }

    async def run(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The result of one of the workbook's queries.

        Args:
            name: The item's name, or `parameter-NAME`.
            values: Values of parameters by name.

        Raises:
            InvalidRequest: A value is not of its parameter's kind.
            RouteNotFound: There is no such query, or nobody to ask.
            QueryFailed: It was refused or ran too long.
            Unavailable: The telemetry service does not answer.
        """
        workbook = load()
        if name not in workbook.queries:
            raise RouteNotFound("The workbook has no such query. GET /api/workbook shows what it has.")
        text = fill_in(workbook.queries[name], workbook.parameters, values)
        if self._reader is None:
            raise RouteNotFound("Queries cannot be run here: SPILLWAY_QUERY_ENDPOINT is not set. Use the portal.")
        return await self._reader.ask(text)
