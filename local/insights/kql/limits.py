"""What a query text may ask for, checked before it runs: things that no time or memory limit would stop in time."""

import re
from typing import Any, Final

from local.insights.errors import InvalidRequestError, NotCoveredError, QueryLimitError, QuerySyntaxError
from local.insights.kql.session import Session
from local.insights.kql.syntax import Node, calls, children, find_all, rule, span

_CHARACTERS_MAX = 20_000
_DEPTH_MAX = 60
_RANGE_ROWS_MAX = 1_000_000
_REPEATS_MAX = 1_024
_STRINGS: Final = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|//[^\n]*')


def check_text(text: str) -> None:
    """Refuses texts that would take long to parse.

    Raises:
        InvalidRequestError: Too long.
        QuerySyntaxError: Too deep.
    """
    if len(text) > _CHARACTERS_MAX:
        raise InvalidRequestError(f"the query is longer than {_CHARACTERS_MAX} characters")
    depth = 0
    for character in _STRINGS.sub("", text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        if depth > _DEPTH_MAX:
            raise QuerySyntaxError(f"the query nests brackets more than {_DEPTH_MAX} deep")


def check_sizes(text: str, tree: Node, session: Session) -> None:
    """Refuses `range` with too many rows and `strrep` with too many repeats.

    Raises:
        QueryLimitError: One of them is too large.
        NotCoveredError: Its size cannot be known before the query runs.
    """
    for statement in find_all(tree, "Statement"):
        lets = text[: span(statement)[0]]
        for expression in find_all(statement, "RangeExpression"):
            _check_range(text, lets, expression, session)
        for call in calls(statement):
            if call.name == "strrep" and len(call.arguments) > 1:
                _check_repeats(text, call.arguments, inner=calls(call.node)[1:])


def _check_range(text: str, lets: str, expression: Node, session: Session) -> None:
    bounds = [child for child in children(expression) if rule(child) != "TerminalNodeImpl"][-3:]
    names = ("start", "stop", "step")
    texts = {name: text[slice(*span(bound))] for name, bound in zip(names, bounds, strict=True)}
    function = expression.parentCtx
    while function is not None and rule(function) != "LetFunctionDeclaration":
        function = function.parentCtx
    if function is not None:
        raise NotCoveredError("range in the body of a let function is not covered")
    start, stop, step = session.scalars(lets, texts).values()
    if _rows(start, stop, step) > _RANGE_ROWS_MAX:
        raise QueryLimitError(f"range would make more than {_RANGE_ROWS_MAX} rows")


def _rows(start: Any, stop: Any, step: Any) -> float:
    if None in {start, stop, step} or not step:
        return 0
    return float((stop - start) / step) + 1


def _check_repeats(text: str, arguments: tuple[Node, ...], *, inner: list[Any]) -> None:
    times = text[slice(*span(arguments[1]))].strip()
    if not times.isdecimal() or any(call.name == "strrep" for call in inner):
        raise NotCoveredError("strrep() with a computed number of repeats, or inside strrep(), is not covered")
    if int(times) > _REPEATS_MAX:
        raise QueryLimitError(f"strrep() repeats at most {_REPEATS_MAX} times")
