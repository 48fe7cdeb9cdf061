"""Which queries are run, with which text, and what is said when they cannot be."""

from typing import Any

import pytest

from shared.errors import InvalidRequest, RouteNotFound
from shared.workbook.document import load
from shared.workbook.service import WorkbookQueries

RESULT = {"columns": [], "rows": [], "partial": None}


class Asked:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    async def ask(self, query: str) -> dict[str, Any]:
        self.queries.append(query)
        return RESULT


async def test_a_query_is_asked_with_its_values_in_place() -> None:
    asked = Asked()

    found = await WorkbookQueries(asked, portal_url=None).run("cost-tenants", {"Tenant": ["contoso"]})

    assert found is RESULT
    (query,) = asked.queries
    assert "tenant in ('contoso')" in query
    assert "timestamp > ago(3600s)" in query
    assert "{" not in query


@pytest.mark.parametrize("name", sorted(load().queries))
async def test_every_query_can_be_asked_with_what_the_workbook_starts_with(name: str) -> None:
    asked = Asked()

    await WorkbookQueries(asked, portal_url=None).run(name, {})

    assert "{" not in asked.queries[0]


@pytest.mark.parametrize("name", ["", "nothing", "parameter-TimeRange", "../overview-turns", "tab-overview"])
async def test_anything_else_is_not_there(name: str) -> None:
    asked = Asked()

    with pytest.raises(RouteNotFound, match="no such query"):
        await WorkbookQueries(asked, portal_url=None).run(name, {})
    assert asked.queries == []


@pytest.mark.parametrize(
    ("reader", "given", "told"),
    [
        (None, None, "https://portal.azure.com/"),
        (None, "https://portal.azure.com/w", "https://portal.azure.com/w"),
        (Asked(), None, None),
        (Asked(), "https://portal.azure.com/w", "https://portal.azure.com/w"),
    ],
)
def test_who_sees_no_charts_here_is_led_to_the_portal(reader: Any, given: str | None, told: str | None) -> None:
    assert WorkbookQueries(reader, portal_url=given).describe()["portal_url"] == told


async def test_without_a_telemetry_service_it_says_which_setting_is_missing() -> None:
    queries = WorkbookQueries(None, portal_url="https://portal.azure.com/w")

    assert queries.describe() == {
        "workbook": load().content,
        "queries": False,
        "portal_url": "https://portal.azure.com/w",
    }
    with pytest.raises(RouteNotFound, match="SPILLWAY_QUERY_ENDPOINT"):
        await queries.run("overview-turns", {})


async def test_a_value_is_checked_before_anything_is_asked() -> None:
    asked = Asked()

    with pytest.raises(InvalidRequest, match="Lane"):
        await WorkbookQueries(asked, portal_url=None).run("overview-turns", {"Lane": "batch"})
    assert asked.queries == []
