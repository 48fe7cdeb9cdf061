"""serialize and the functions that look at neighbouring rows: prev, next, row_number, row_cumsum."""

from typing import Final

from local.insights.errors import NotCoveredError, SemanticError
from local.insights.kql.rewrites import KEEP_ORDER
from local.insights.kql.session import Session
from local.insights.kql.syntax import (
    Call,
    Node,
    Stage,
    assigned_names,
    calls,
    children,
    name_of,
    only,
    operator_name,
    rule,
    span,
)

_FUNCTIONS: Final = {"prev": (1, 3), "next": (1, 3), "row_number": (0, 2), "row_cumsum": (1, 2)}
_OPERATORS: Final = {"ExtendOperator", "ProjectOperator", "WhereOperator", "SerializeOperator"}
_KEEPS_ORDER: Final = {
    "ExtendOperator", "ProjectOperator", "ProjectAwayOperator", "ProjectRenameOperator", "WhereOperator",
    "TakeOperator", "MvexpandOperator", "ParseOperator", "ParseWhereOperator",
}  # fmt: skip
_MAKES_ORDER: Final = {"SortOperator", "TopOperator"}


def matches(operator: Node) -> bool:
    """serialize, and operators in which such a function is called."""
    if rule(operator) == "SerializeOperator":
        return True
    return rule(operator) in _OPERATORS and any(call.name in _FUNCTIONS for call in calls(operator))


def run(stage: Stage, session: Session) -> str:
    """Numbers the rows in their order, computes the innermost calls and puts their columns in the calls' place."""
    found = [call for call in calls(stage.operator) if call.name in _FUNCTIONS]
    if rule(stage.operator) == "SerializeOperator":
        _check_names(stage, session)
        if not found:
            return _serialized(stage, session)
    innermost = [call for call in found if not any(inner.name in _FUNCTIONS for inner in calls(call.node)[1:])]
    _check_order(stage, session, innermost[0].name)
    for call in innermost:
        _check_call(stage, call)
    return _computed(stage, session, innermost)


def _serialized(stage: Stage, session: Session) -> str:
    table = session.keep(stage.lets + stage.prefix)
    session.serialized.add(table)
    if KEEP_ORDER in stage.source(stage.operator):
        return table
    return f"{table} | extend {_after_keyword(stage)}"


def _check_names(stage: Stage, session: Session) -> None:
    """Unlike extend, serialize keeps a column whose name it assigns and adds another; that is not covered."""
    present = {name for name, _ in session.columns(stage.lets + stage.prefix)}
    for part in children(stage.operator)[1:]:
        if rule(part) != "NamedExpression" or name_of(part) is not None:
            continue
        names = assigned_names(part)
        if not names or present & set(names):
            raise NotCoveredError("serialize with a column that has no name or the name of another is not covered")


def _after_keyword(stage: Stage) -> str:
    return stage.source(stage.operator)[len(operator_name(stage.operator)) :]


def _check_order(stage: Stage, session: Session, function: str) -> None:
    if rule(stage.operator) == "SerializeOperator":
        return
    for operator in reversed(stage.before):
        if rule(operator) in _MAKES_ORDER:
            return
        if rule(operator) not in _KEEPS_ORDER:
            break
    else:
        source = name_of(stage.head)
        if source in session.serialized or rule(only(stage.head)) == "RangeExpression":
            return
    raise SemanticError(f"{function}() needs rows in a known order: put 'order by' or 'serialize' before it")


def _check_call(stage: Stage, call: Call) -> None:
    least, most = _FUNCTIONS[call.name]
    if not least <= len(call.arguments) <= most:
        raise SemanticError(f"{call.name}() takes {least} to {most} arguments")
    for named in children(stage.operator):
        if rule(named) == "NamedExpression" and span(named) == span(call.node):
            raise NotCoveredError(f"{call.name}() as a column without a name is not covered: write name = {call.name}")


def _computed(stage: Stage, session: Session, innermost: list[Call]) -> str:
    numbered = [(session.fresh(), call) for call in innermost]
    arguments = {
        f"__a{number}_{position}": stage.source(argument)
        for number, call in numbered
        for position, argument in enumerate(call.arguments)
    }
    added = ", ".join(f"{name} = {text}" for name, text in arguments.items())
    ordered = session.keep(stage.lets + stage.prefix + (f" | extend {added}" if added else ""))
    types = session.types(ordered)
    restarted = [number for number, call in numbered if _restarts(call)]
    inner = ", ".join(["*", "rowid AS __row", *map(_group, restarted)])
    hidden = ", ".join([*arguments, "__row", *(f"__g{number}" for number in restarted)])
    windows = ", ".join(f"{_window(number, call, types)} AS __w{number}" for number, call in numbered)
    table = session.keep_sql(
        f'SELECT * EXCLUDE ({hidden}), {windows} FROM (SELECT {inner} FROM "{ordered}") ORDER BY __row'
    )
    session.serialized.add(table)
    text = stage.edited({call.node: f"__w{number}" for number, call in numbered})
    if rule(stage.operator) == "SerializeOperator":
        text = "extend" + text[len("serialize") :]
    cleanup = ", ".join(f"__w{number}" for number, _ in numbered)
    return f"{table} | {text}" + ("" if rule(stage.operator) == "ProjectOperator" else f" | project-away {cleanup}")


def _restarts(call: Call) -> bool:
    return call.name in {"row_number", "row_cumsum"} and len(call.arguments) == 2


def _group(number: int) -> str:
    restart = f"CASE WHEN __a{number}_1 THEN 1 ELSE 0 END"
    return f"sum({restart}) OVER (ORDER BY rowid ROWS UNBOUNDED PRECEDING) AS __g{number}"


def _window(number: int, call: Call, types: dict[str, str]) -> str:
    partition = f"PARTITION BY __g{number} " if _restarts(call) else ""
    over = f"OVER ({partition}ORDER BY __row ROWS UNBOUNDED PRECEDING)"
    values = [f"__a{number}_{position}" for position in range(len(call.arguments))]
    if call.name == "row_number":
        start = f"{values[0]} - 1" if values else "0"
        return f"CAST({start} + row_number() {over} AS BIGINT)"
    if call.name == "row_cumsum":
        return f"CAST(sum({values[0]}) {over} AS {types[values[0]]})"
    function = "lag" if call.name == "prev" else "lead"
    return f"{function}({', '.join(values)}) OVER (ORDER BY __row)"
