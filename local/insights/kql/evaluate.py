"""evaluate bag_unpack and evaluate pivot: operators whose columns depend on the data."""

import re
from typing import Final

import orjson

from local.insights.errors import NotCoveredError, QueryLimitError, SemanticError
from local.insights.kql.session import Session
from local.insights.kql.syntax import Call, Node, Stage, calls, children, name_of, quoted, rule

_COLUMNS_MAX = 200
_EMPTY_CELL: Final = {"count": "0", "sum": "0", "dcount": "0", "countif": "0"}
_NUMBERS: Final = {"BIGINT", "UBIGINT"}


def matches(operator: Node) -> bool:
    """Evaluate."""
    return rule(operator) == "EvaluateOperator"


def run(stage: Stage, session: Session) -> str:
    """Runs one of the two plugins."""
    if [rule(child) for child in children(stage.operator)][1:] != ["FunctionCallExpression"]:
        raise NotCoveredError("evaluate with hints or a declared schema is not covered")
    call = calls(stage.operator)[0]
    if call.name == "bag_unpack":
        return _bag_unpack(stage, session, call)
    if call.name == "pivot":
        return _pivot(stage, session, call)
    raise NotCoveredError(f"evaluate {call.name} is not covered")


def _sql_name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _check_count(count: int, plugin: str) -> None:
    if count > _COLUMNS_MAX:
        raise QueryLimitError(f"evaluate {plugin} would make {count} columns; the limit is {_COLUMNS_MAX}")


def _bag_unpack(stage: Stage, session: Session, call: Call) -> str:
    column = name_of(call.arguments[0]) if call.arguments else None
    prefix = stage.source(call.arguments[1]).strip() if len(call.arguments) == 2 else "''"
    if column is None or len(call.arguments) > 2 or not re.fullmatch(r"'\w*'|\"\w*\"", prefix):
        raise NotCoveredError("evaluate bag_unpack with more than a column and a plain prefix is not covered")
    table = session.keep(stage.lets + stage.prefix)
    present = session.types(table)
    if column not in present:
        raise SemanticError(f"'{column}' is not a column here")
    kinds = _kinds(session, table, column)
    names = {key: prefix[1:-1] + key for key in kinds}
    clash = sorted(set(names.values()) & (set(present) - {column}))
    if clash:
        raise SemanticError(f"evaluate bag_unpack: the columns {', '.join(clash)} exist already; give it a prefix")
    unpacked = [_unpacked(column, key, kinds[key]) + f" AS {_sql_name(names[key])}" for key in sorted(kinds)]
    others = [_sql_name(name) for name in present if name != column]
    return session.keep_sql(f'SELECT {", ".join([*others, *unpacked])} FROM "{table}" ORDER BY rowid')


def _kinds(session: Session, table: str, column: str) -> dict[str, set[str]]:
    bag = f"CAST({_sql_name(column)} AS JSON)"
    rows = session.fetch(
        f"SELECT key, list(DISTINCT kind) FROM (SELECT e.key, e.type AS kind "
        f"FROM (SELECT {bag} AS bag FROM \"{table}\" WHERE json_type({bag}) = 'OBJECT') b, json_each(b.bag) e) "
        f"GROUP BY key ORDER BY key"
    )
    _check_count(len(rows), "bag_unpack")
    return {str(key): set(kinds) - {"NULL"} for key, kinds in rows}


def _unpacked(column: str, key: str, kinds: set[str]) -> str:
    path = _sql_text(f"$.{orjson.dumps(key).decode()}")
    text = f"CAST({_sql_name(column)} AS JSON) ->> {path}"
    if kinds and kinds <= _NUMBERS:
        return f"CAST({text} AS BIGINT)"
    if kinds and kinds <= {*_NUMBERS, "DOUBLE"}:
        return f"CAST({text} AS DOUBLE)"
    if kinds == {"BOOLEAN"}:
        return f"CAST({text} AS BOOLEAN)"
    if kinds == {"VARCHAR"}:
        return f"coalesce({text}, '')"
    return f"CAST({_sql_name(column)} AS JSON) -> {path}"


def _pivot(stage: Stage, session: Session, call: Call) -> str:
    column = name_of(call.arguments[0]) if call.arguments else None
    if column is None:
        raise NotCoveredError("evaluate pivot on an expression is not covered: name a column")
    aggregate = calls(call.arguments[1])[:1] if len(call.arguments) > 1 else []
    function = aggregate[0].name if aggregate else "count"
    text = stage.source(call.arguments[1]) if len(call.arguments) > 1 else "count()"
    if function not in _EMPTY_CELL or (len(call.arguments) > 1 and not (aggregate or text.strip() == "count()")):
        raise NotCoveredError(f"evaluate pivot with {text} is not covered; count, sum, dcount and countif are")
    present = [name for name, _ in session.columns(stage.lets + stage.prefix)]
    used = {name_of(argument) for argument in (aggregate[0].arguments if aggregate else ())}
    kept = [name_of(argument) or "" for argument in call.arguments[2:]]
    kept = kept or [name for name in present if name != column and name not in used]
    keys = ", ".join([*(quoted(name) for name in kept), f"__pivot = tostring({quoted(column)})"])
    table = session.keep(f"{stage.lets}{stage.prefix} | summarize __cell = {text} by {keys}")
    values = [str(value or "") for (value,) in session.fetch(f'SELECT DISTINCT __pivot FROM "{table}" ORDER BY 1')]
    _check_count(len(values), "pivot")
    cell = "CAST(__cell AS BIGINT)" if session.types(table)["__cell"] == "HUGEINT" else "__cell"
    cells = [
        f"coalesce(max({cell}) FILTER (WHERE coalesce(__pivot, '') = {_sql_text(value)}), {_EMPTY_CELL[function]})"
        f" AS {_sql_name(value)}"
        for value in values
    ]
    chosen = [_sql_name(name) for name in kept]
    order = f" GROUP BY {', '.join(chosen)} ORDER BY {', '.join(chosen)}" if chosen else ""
    return session.keep_sql(f'SELECT {", ".join([*chosen, *cells]) or "1"} FROM "{table}"{order}')
