"""Which function answers a request: routes in the order of the real host, first match wins."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from local.host.app.functions import HTTP, Function
from local.host.errors import HostError
from local.host.web.template import Template, compile_template, shadows

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP function and where it listens.

    Attributes:
        function: The function.
        template: Its route with the prefix.
        methods: Upper-case methods it takes; None for all.
        level: `anonymous`, `function` or `admin`.
    """

    function: Function
    template: Template
    methods: frozenset[str] | None
    level: str


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the values of its parameters."""

    route: Route
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class RouteTable:
    """All routes of an app, in the order in which they are tried.

    The real host tries them in the alphabetical order of the functions' names (Azure/azure-functions-host#9876), not
    in ASP.NET's order of precedence, and a route whose methods do not fit is as if it were not there.
    """

    routes: tuple[Route, ...]

    def find(self, method: str, path: str) -> Match | None:
        """The first route that takes this method and this decoded path, or None (the host answers 404)."""
        trimmed = path[1:]
        for route in self.routes:
            if route.methods is None or method in route.methods:
                values = route.template.match(trimmed)
                if values is not None:
                    return Match(route, values)
        return None


def build(functions: Iterable[Function], prefix: str) -> RouteTable:
    """Compiles the routes of an app's HTTP functions and warns of those that another one hides.

    Args:
        functions: Functions of any kind; only HTTP triggers are taken.
        prefix: `extensions.http.routePrefix` without slashes; may be empty.

    Raises:
        HostError: A route template is not valid; names the function.
    """
    ordered = sorted((f for f in functions if f.kind == HTTP), key=lambda function: function.name.lower())
    routes = tuple(_route(function, prefix) for function in ordered)
    for position, route in enumerate(routes):
        for earlier in routes[:position]:
            if _overlap(earlier, route) and shadows(earlier.template, route.template):
                _logger.warning(
                    "The route /%s of %s takes requests that are meant for /%s of %s: routes are tried in the "
                    "alphabetical order of function names.",
                    earlier.template.text,
                    earlier.function.name,
                    route.template.text,
                    route.function.name,
                )
    return RouteTable(routes)


def _route(function: Function, prefix: str) -> Route:
    # As in the real host, an empty route is the function's name.
    own = str(function.trigger.get("route") or function.name).lstrip("/")
    methods = function.trigger.get("methods")
    try:
        template = compile_template("/".join(part for part in (prefix, own) if part))
    except (ValueError, OverflowError) as error:
        raise HostError(f'Function "{function.name}": the route "{own}" is not valid: {error}.') from error
    return Route(
        function=function,
        template=template,
        methods=frozenset(str(method).upper() for method in methods) if methods else None,
        level=str(function.trigger.get("authLevel", "function")).lower(),
    )


def _overlap(first: Route, second: Route) -> bool:
    return first.methods is None or second.methods is None or not first.methods.isdisjoint(second.methods)
