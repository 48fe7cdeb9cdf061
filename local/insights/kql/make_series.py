"""make-series: one array per aggregate and group, with a value for every step of the axis."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from local.insights.errors import NotCoveredError, QueryLimitError, SemanticError
from local.insights.kql.session import Session
from local.insights.kql.syntax import Node, Stage, children, find_all, name_of, rule

_POINTS_MAX = 100_000
_VALUES_MAX = 5_000_000


@dataclass(frozen=True, slots=True)
class _Axis:
    column: str
    start: Any
    stop: Any
    step: Any

    @property
    def points(self) -> int:
        """How many steps lie between start and stop."""
        count: int = math.ceil((self.stop - self.start) / self.step)
        return max(0, count)

    def values(self) -> str:
        """The axis as a JSON array; times as text with seven decimals, as KQL writes them in dynamic values."""
        marks = [self.start + self.step * index for index in range(self.points)]
        return orjson.dumps([_time(mark) if isinstance(mark, datetime) else mark for mark in marks]).decode()


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def matches(operator: Node) -> bool:
    """make-series."""
    return rule(operator) == "MakeSeriesOperator"


def run(stage: Stage, session: Session) -> str:
    """Aggregates per step with KQL, then fills the gaps and folds the steps into arrays with SQL."""
    bounds, on = _bounds(stage), _on(stage)
    axis = _axis(session, stage.lets, on, bounds)
    aggregations = find_all(stage.operator, "MakeSeriesOperatorAggregation")
    by = [stage.source(part) for part in _parts(stage.operator, "MakeSeriesOperatorByClause")]
    wanted = ", ".join(_aggregates(stage, aggregations))
    start, stop, step = bounds
    table = session.keep(
        f"{stage.lets}{stage.prefix} | where {on} >= ({start}) and {on} < ({stop})"
        f" | extend __step = tolong(floor(({on} - ({start})) / ({step}), 1))"
        f" | summarize {wanted} by {', '.join([*by, '__step'])}"
    )
    types = session.types(table)
    names = list(types)
    groups, series = names[: len(by)], names[len(by) + 1 :]
    if len(series) != len(aggregations):
        raise NotCoveredError("make-series with an aggregate of several columns is not covered")
    defaults = _defaults(stage, session, aggregations)
    _check_size(session, table, groups, axis.points)
    nonempty = _nonempty(stage)
    sql = _fold(table, groups, {name: types[name] for name in series}, defaults, axis, nonempty=nonempty)
    return session.keep_sql(sql)


_PARAMETERS = ("StrictQueryOperatorParameter", "RelaxedQueryOperatorParameter")


def _is_parameter(stage: Stage, node: Node) -> bool:
    return rule(node) in _PARAMETERS and stage.source(node).startswith(("kind", "hint."))


def _aggregates(stage: Stage, aggregations: list[Node]) -> list[str]:
    """The aggregates' texts. The grammar reads the start of `total = sum(v)` as a parameter; it is put back."""
    texts = [stage.source(children(part)[0]) for part in aggregations]
    stray = [node for node in find_all(stage.operator, *_PARAMETERS) if not _is_parameter(stage, node)]
    if stray:
        texts[0] = f"{stage.source(stray[0])} {texts[0]}"
    return texts


def _parts(operator: Node, clause: str) -> list[Node]:
    return [part for found in find_all(operator, clause) for part in children(found) if rule(part) == "NamedExpression"]


def _bounds(stage: Stage) -> tuple[str, str, str]:
    clauses = find_all(stage.operator, "MakeSeriesOperatorFromToStepClause")
    if not clauses:
        raise NotCoveredError("make-series in range(...) is not covered: write from, to and step")
    kids = children(clauses[0])
    found = {kids[i].getText(): stage.source(kids[i + 1]) for i in range(0, len(kids) - 1, 2)}
    if set(found) != {"from", "to", "step"}:
        raise NotCoveredError("make-series without from and to is not covered: write from, to and step")
    return found["from"], found["to"], found["step"]


def _on(stage: Stage) -> str:
    (part,) = _parts(stage.operator, "MakeSeriesOperatorOnClause")
    column = name_of(part)
    if column is None:
        raise NotCoveredError("make-series on an expression is not covered: name a column")
    return stage.source(part)


def _axis(session: Session, lets: str, on: str, bounds: tuple[str, str, str]) -> _Axis:
    start, stop, step = session.scalars(lets, dict(zip(("start", "stop", "step"), bounds, strict=True))).values()
    timed = isinstance(start, datetime)
    fits = isinstance(stop, datetime) and isinstance(step, timedelta) if timed else not isinstance(step, timedelta)
    if None in {start, stop, step} or not fits:
        raise SemanticError("make-series needs from, to and step of fitting types, none of them null")
    if step <= (timedelta(0) if timed else 0):
        raise SemanticError("make-series needs a step above zero")
    axis = _Axis(on.removeprefix("['").removesuffix("']"), start, stop, step)
    if axis.points > _POINTS_MAX:
        raise QueryLimitError(f"make-series would have {axis.points} points; the limit is {_POINTS_MAX}")
    return axis


def _defaults(stage: Stage, session: Session, aggregations: list[Node]) -> list[Any]:
    texts = {}
    for number, aggregation in enumerate(aggregations):
        clauses = find_all(aggregation, "MakeSeriesOperatorExpressionDefaultClause")
        texts[f"d{number}"] = stage.source(children(clauses[0])[-1]) if clauses else "0"
    values = list(session.scalars(stage.lets, texts).values())
    for value in values:
        if value is not None and not isinstance(value, int | float):
            raise NotCoveredError("make-series with a default that is not a number is not covered")
    return values


def _nonempty(stage: Stage) -> bool:
    for parameter in filter(lambda node: _is_parameter(stage, node), find_all(stage.operator, *_PARAMETERS)):
        if stage.source(parameter).replace(" ", "") != "kind=nonempty":
            raise NotCoveredError(f"make-series with {stage.source(parameter)} is not covered")
        return True
    return False


def _check_size(session: Session, table: str, groups: list[str], points: int) -> None:
    keys = ", ".join(_name(group) for group in groups)
    counted = f'SELECT count(*) FROM (SELECT DISTINCT {keys} FROM "{table}")' if groups else "SELECT 1"
    ((count,),) = session.fetch(counted)
    if count * points > _VALUES_MAX:
        raise QueryLimitError(f"make-series would have {count * points} values; the limit is {_VALUES_MAX}")


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _fold(
    table: str, groups: list[str], series: dict[str, str], defaults: list[Any], axis: _Axis, *, nonempty: bool
) -> str:
    keys = ", ".join(f"g.{_name(group)}" for group in groups)
    some = f'SELECT DISTINCT {", ".join(map(_name, groups))} FROM "{table}"' if groups else "SELECT 1 AS one"
    if not groups and not nonempty:
        some += f' WHERE EXISTS (FROM "{table}")'
    same = " AND ".join(
        ["t.__step = a.step", *(f"t.{_name(group)} IS NOT DISTINCT FROM g.{_name(group)}" for group in groups)]
    )
    folded = ", ".join(
        f"to_json(list({_value(name, kind, default)} ORDER BY a.step)) AS {_name(name)}"
        for (name, kind), default in zip(series.items(), defaults, strict=True)
    )
    marks = axis.values().replace("'", "''")
    return (
        f"SELECT {keys + ', ' if keys else ''}{folded}, CAST('{marks}' AS JSON) AS {_name(axis.column)} "
        f"FROM ({some}) g CROSS JOIN (SELECT range AS step FROM range({axis.points})) a "
        f'LEFT JOIN "{table}" t ON {same} GROUP BY {keys or "g.one"}' + (f" ORDER BY {keys}" if keys else "")
    )


def _value(name: str, kind: str, default: Any) -> str:
    value = f"t.{_name(name)}"
    if kind == "HUGEINT":
        value = f"CAST({value} AS BIGINT)"
    if kind == "DOUBLE":
        value = f"CASE WHEN isfinite({value}) THEN {value} END"
    filled = "NULL" if default is None else repr(default)
    return f"CASE WHEN t.__step IS NULL THEN {filled} ELSE {value} END"
