"""percentilew and percentilesw: percentiles of values that each stand for several.

The rows are put in order of value within their group, with the running and the whole weight beside them; the
percentile is the first value at which the running weight reaches its share. Nearest rank, as `percentile` here.
"""

from typing import Final

from local.insights.errors import NotCoveredError, SemanticError
from local.insights.kql.session import Session
from local.insights.kql.syntax import (
    Call,
    Node,
    Stage,
    assigned_names,
    calls,
    children,
    find_all,
    only,
    quoted,
    replace_nodes,
    rule,
    span,
)

_FUNCTIONS: Final = {"percentilew", "percentilesw"}


def matches(operator: Node) -> bool:
    """Summarize with a weighted percentile."""
    return rule(operator) == "SummarizeOperator" and any(call.name in _FUNCTIONS for call in calls(operator))


def run(stage: Stage, session: Session) -> str:
    """Puts running weights beside the rows and says each percentile as the least value that reaches its share."""
    columns = [part for part in children(stage.operator) if rule(part) == "NamedExpression"]
    weighted = [(part, _call(part)) for part in columns if any(call.name in _FUNCTIONS for call in calls(part))]
    numbered = [(session.fresh(), part, call) for part, call in weighted]
    keys = {f"__k{number}": text for number, text in enumerate(_group_by(stage))}
    added = keys | {
        f"__{letter}{number}": stage.source(argument)
        for number, _, call in numbered
        for letter, argument in zip("xw", call.arguments, strict=False)
    }
    rows = session.keep(f"{stage.lets}{stage.prefix} | project {_projected(stage, session, added)}")
    equal = _equal_weights(session, rows, [number for number, _, _ in numbered])
    windows = "".join(
        f", {text}" for number, _, _ in numbered if number not in equal for text in _windows(number, list(keys))
    )
    table = session.keep_sql(f'SELECT *{windows} FROM "{rows}"') if windows else rows
    edits = {part: _said(stage, part, call, number, plain=number in equal) for number, part, call in numbered}
    start, _ = span(stage.operator)
    return f"{table} | {replace_nodes(stage.source(stage.operator), edits, offset=start)}"


def _projected(stage: Stage, session: Session, added: dict[str, str]) -> str:
    """The columns that the operator may name, and the computed ones: copying whole rows would cost the most."""
    text = stage.source(stage.operator)
    named = [name for name, _ in session.columns(stage.lets + stage.prefix) if name in text]
    return ", ".join([*map(quoted, named), *(f"{name} = {expression}" for name, expression in added.items())])


def _equal_weights(session: Session, rows: str, numbers: list[int]) -> set[int]:
    """Those whose rows all count once, as without sampling: their percentile is the plain one."""
    checks = ", ".join(f"min(__w{number}) = 1 AND max(__w{number}) = 1" for number in numbers)
    (found,) = session.fetch(f'SELECT {checks} FROM "{rows}"')
    return {number for number, equal in zip(numbers, found, strict=True) if equal}


def _call(part: Node) -> Call:
    expression = only(children(part)[-1])
    if rule(expression) != "NamedFunctionCallExpression" or calls(expression)[0].name not in _FUNCTIONS:
        raise NotCoveredError("a weighted percentile inside a larger expression is not covered: give it a column")
    call = calls(expression)[0]
    if len(call.arguments) < 3 or (call.name == "percentilew" and len(call.arguments) > 3):
        raise SemanticError(f"{call.name}() needs a value, a weight and a percentile")
    return call


def _group_by(stage: Stage) -> list[str]:
    clauses = find_all(stage.operator, "SummarizeOperatorByClause")
    parts = [part for clause in clauses for part in children(clause) if rule(part) == "NamedExpression"]
    return [stage.source(children(part)[-1]) for part in parts]


def _windows(number: int, keys: list[str]) -> list[str]:
    partition = f"PARTITION BY {', '.join(keys)}" if keys else ""
    weight = f"sum(__w{number}) FILTER (WHERE __x{number} IS NOT NULL AND __w{number} > 0) OVER"
    return [
        f"{weight} ({partition} ORDER BY __x{number} RANGE UNBOUNDED PRECEDING) AS __c{number}",
        f"{weight} ({partition}) AS __t{number}",
    ]


def _said(stage: Stage, part: Node, call: Call, number: int, *, plain: bool) -> str:
    levels = [stage.source(level) for level in call.arguments[2:]]
    names = assigned_names(part)
    if len(names) != len(levels):
        raise NotCoveredError(f"{call.name}() without a name for each percentile is not covered")
    if plain:
        assigned = zip(names, levels, strict=True)
        return ", ".join(f"{name} = percentile(__x{number}, {level})" for name, level in assigned)
    reached = f"__w{number} > 0 and __c{number} >= __t{number}"
    return ", ".join(
        f"{name} = min(iff({reached} * ({level}) / 100.0, __x{number}, real(null)))"
        for name, level in zip(names, levels, strict=True)
    )
