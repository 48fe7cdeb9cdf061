"""Which request goes where. The first route that fits is taken."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from local.cosmos.errors import CosmosError, not_covered
from local.cosmos.handlers import account, containers, databases, documents
from local.cosmos.handlers.lists import is_query
from local.cosmos.request import Reply, Request
from local.cosmos.service import Service

Handler = Callable[[Service, Request], Awaitable[Reply]]
Test = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        method: HTTP method.
        path: Path with `*` for names.
        operation: Its name in faults and counts.
        handler: Answers it.
        when: What else must hold, for operations that share a method and a path.
    """

    method: str
    path: str
    operation: str
    handler: Handler
    when: Test | None = None


def _has(header: str) -> Test:
    return lambda request: header in request.headers


def _says(header: str) -> Test:
    return lambda request: request.is_true(header)


def _is_emptying(request: Request) -> bool:
    return request.segments[5] == "partitionkeydelete"


_SHOWN: Final = 200
_CONTAINER: Final = "dbs/*/colls/*"
_ITEMS: Final = f"{_CONTAINER}/docs"

ROUTES: Final = (
    Route("GET", "", "read_account", account.read_account),
    Route("GET", "offers", "list_offers", account.list_offers),
    Route("POST", "offers", "query_offers", account.list_offers, is_query),
    Route("GET", "offers/*", "read_offer", account.read_offer),
    Route("PUT", "offers/*", "replace_offer", account.replace_offer),
    Route("GET", "dbs", "list_databases", databases.list_databases),
    Route("POST", "dbs", "query_databases", databases.list_databases, is_query),
    Route("POST", "dbs", "create_database", databases.create_database),
    Route("GET", "dbs/*", "read_database", databases.read_database),
    Route("DELETE", "dbs/*", "delete_database", databases.delete_database),
    Route("GET", "dbs/*/colls", "list_containers", containers.list_containers),
    Route("POST", "dbs/*/colls", "query_containers", containers.list_containers, is_query),
    Route("POST", "dbs/*/colls", "create_container", containers.create_container),
    Route("GET", _CONTAINER, "read_container", containers.read_container),
    Route("PUT", _CONTAINER, "replace_container", containers.replace_container),
    Route("DELETE", _CONTAINER, "delete_container", containers.delete_container),
    Route("GET", f"{_CONTAINER}/pkranges", "list_ranges", containers.list_ranges),
    Route("GET", _ITEMS, "change_feed", documents.read_change_feed, _has("a-im")),
    Route("GET", _ITEMS, "list", documents.list_items),
    Route("POST", _ITEMS, "query_plan", documents.plan_query, _says("x-ms-cosmos-is-query-plan-request")),
    Route("POST", _ITEMS, "query", documents.query_items, is_query),
    Route("POST", _ITEMS, "batch", documents.run_batch, _says("x-ms-cosmos-is-batch-request")),
    Route("POST", _ITEMS, "upsert", documents.upsert_item, _says("x-ms-documentdb-is-upsert")),
    Route("POST", _ITEMS, "create", documents.create_item),
    Route("GET", f"{_ITEMS}/*", "read", documents.read_item),
    Route("PUT", f"{_ITEMS}/*", "replace", documents.replace_item),
    Route("DELETE", f"{_ITEMS}/*", "delete", documents.delete_item),
    Route("PATCH", f"{_ITEMS}/*", "patch", documents.patch_item),
    Route("POST", f"{_CONTAINER}/operations/*", "delete_partition", documents.delete_partition, _is_emptying),
    *(
        Route("GET", f"{_CONTAINER}/{kind}", f"list_{kind}", containers.list_nothing)
        for kind in ("sprocs", "udfs", "triggers", "conflicts")
    ),
    *(
        Route(method, f"{_CONTAINER}/{kind}{end}", kind, containers.refuse_script)
        for kind in ("sprocs", "udfs", "triggers")
        for method, end in (("POST", ""), ("GET", "/*"), ("PUT", "/*"), ("DELETE", "/*"), ("POST", "/*"))
    ),
    *(
        Route(method, f"dbs/*/users{end}", "users", containers.refuse_users)
        for method, end in (("GET", ""), ("POST", ""), ("GET", "/*"), ("PUT", "/*"), ("DELETE", "/*"))
    ),
)

_TABLE: Final[dict[tuple[str, str], tuple[Route, ...]]] = {}
for _route in ROUTES:
    _TABLE[_route.method, _route.path] = (*_TABLE.get((_route.method, _route.path), ()), _route)
_PATHS: Final = frozenset(route.path for route in ROUTES)


def find_route(request: Request) -> Route:
    """The route of a request.

    Raises:
        CosmosError: 400, 404 or 405 when there is none.
    """
    segments = request.segments
    path = "/".join(["*" if place % 2 else name for place, name in enumerate(segments)])
    for route in _TABLE.get((request.method, path), ()):
        if route.when is None or route.when(request):
            return route
    if path in _PATHS and (request.method, path) not in _TABLE:
        raise CosmosError(405, f"{request.method} is not possible on /{path}.")
    if segments[0] in {"dbs", "offers"}:
        raise not_covered(f"{request.method} /{path[:_SHOWN]}")
    raise CosmosError(404, f"There is nothing at /{path[:_SHOWN]}.")
