"""Operators that depend only on which columns there are: written out as plain projections."""

import fnmatch
import re

from local.insights.errors import SemanticError
from local.insights.kql.session import Session
from local.insights.kql.syntax import Node, Stage, calls, children, find_all, name_of, quoted, rule

_EXISTS = {"columnifexists", "column_ifexists"}


def matches(operator: Node) -> bool:
    """project-keep, project-reorder, project-away with a wildcard, and columnifexists() in any operator."""
    kind = rule(operator)
    if kind in {"ProjectKeepOperator", "ProjectReorderOperator"}:
        return True
    if kind == "ProjectAwayOperator" and find_all(operator, "WildcardedName"):
        return True
    return any(call.name in _EXISTS for call in calls(operator))


def run(stage: Stage, session: Session) -> str:
    """Writes the operator out for the columns its input has."""
    present = [name for name, _ in session.columns(stage.lets + stage.prefix)]
    kind = rule(stage.operator)
    if kind == "ProjectReorderOperator":
        kept = _reordered(stage.operator, present)
    elif kind in {"ProjectKeepOperator", "ProjectAwayOperator"}:
        patterns = [_pattern(node) for node in find_all(stage.operator, "SimpleOrWildcardedNameReference")]
        named = {name for pattern in patterns for name in _matching(pattern, present)}
        kept = [name for name in present if (name in named) == (kind == "ProjectKeepOperator")]
    else:
        return f"{stage.prefix} | {_resolved(stage, present)}"
    return f"{stage.prefix} | project {', '.join(map(quoted, kept))}"


def _pattern(node: Node) -> str:
    return name_of(node) or str(node.getText())


def _matching(pattern: str, present: list[str]) -> list[str]:
    if "*" not in pattern:
        if pattern not in present:
            raise SemanticError(f"'{pattern}' is not a column here")
        return [pattern]
    expression = re.compile(fnmatch.translate(pattern.replace("[", "[[]").replace("?", "[?]")))
    found = [name for name in present if expression.match(name)]
    if not found:
        raise SemanticError(f"'{pattern}' matches no column here")
    return found


def _reordered(operator: Node, present: list[str]) -> list[str]:
    front: list[str] = []
    for part in find_all(operator, "ProjectReorderExpression"):
        found = _matching(_pattern(children(part)[0]), present)
        order = str(children(part)[1].getText()) if len(children(part)) > 1 else ""
        if order in {"asc", "desc"}:
            found.sort(key=str.lower, reverse=order == "desc")
        front += [name for name in found if name not in front]
    return front + [name for name in present if name not in front]


def _resolved(stage: Stage, present: list[str]) -> str:
    """The operator with the first layer of columnifexists() replaced by the column or by its default."""
    edits: dict[Node, str] = {}
    inside: set[Node] = set()
    for call in calls(stage.operator):
        if call.name not in _EXISTS or call.node in inside:
            continue
        if len(call.arguments) != 2:
            raise SemanticError(f"{call.name}() needs a column name and a default")
        wanted = stage.source(call.arguments[0]).strip()[1:-1]
        edits[call.node] = quoted(wanted) if wanted in present else f"({stage.source(call.arguments[1])})"
        inside |= {inner.node for inner in calls(call.node)}
    return stage.edited(edits)
