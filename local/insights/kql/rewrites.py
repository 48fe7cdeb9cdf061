"""Functions that KQL itself can say in other words: replaced in the text before translation."""

import re
from typing import Final

from local.insights.errors import NotCoveredError
from local.insights.kql.syntax import (
    Call,
    Node,
    assigned_names,
    calls,
    children,
    find_all,
    name_of,
    only,
    replace_nodes,
    rule,
    span,
)

KEEP_ORDER: Final = "__keep_order"
"""The column that stands in for nothing in `serialize`, which the grammar does not take without one."""

_BARE_SERIALIZE: Final = re.compile(
    r"""(?P<kept>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|//[^\n]*)|(?P<bare>\|\s*serialize)(?=\s*(?:[|);}]|//|$))"""
)


def named_serialize(text: str) -> str:
    """The query with a column put into each `serialize` that has none."""
    return _BARE_SERIALIZE.sub(lambda match: match["kept"] or f"{match['bare']} {KEEP_ORDER} = true", text)


def rewrite(text: str, tree: Node) -> str:
    """The query with the first layer of such calls replaced; the same text when there are none left."""
    edits: dict[Node, str] = {}
    for named in find_all(tree, "NamedExpression"):
        replacement = _named(text, named)
        if replacement is not None and not _overlaps(named, edits):
            edits[named] = replacement
    for call in calls(tree):
        if call.name == "bin_at" and not _overlaps(call.node, edits):
            edits[call.node] = _bin_at(text, call)
    return replace_nodes(text, edits)


def _overlaps(node: Node, edits: dict[Node, str]) -> bool:
    start, stop = span(node)
    return any(start < other_stop and other_start < stop for other_start, other_stop in map(span, edits))


def _source(text: str, node: Node) -> str:
    start, stop = span(node)
    return text[start:stop]


def _named(text: str, named: Node) -> str | None:
    """The replacement of one column, when it is a call that stands for several columns or whose name would be lost."""
    expression = only(children(named)[-1])
    if rule(expression) != "NamedFunctionCallExpression" or rule(named.parentCtx) == "ArgumentExpression":
        return None
    call = calls(expression)[0]
    names = assigned_names(named)
    if call.name == "bin_at" and not names and len(call.arguments) == 3:
        column = name_of(call.arguments[0])
        return f"{column} = {_bin_at(text, call)}" if column else None
    return _aggregate(text, call, names) if rule(named.parentCtx) == "SummarizeOperator" else None


def _aggregate(text: str, call: Call, names: list[str]) -> str | None:
    if call.name == "percentiles":
        return _percentiles(text, call, names)
    if call.name == "take_any" and len(call.arguments) > 1:
        single = [f"take_any({_source(text, argument)})" for argument in call.arguments]
        return ", ".join(_assigned(names, index, call) for index, call in enumerate(single))
    if call.name == "count_distinct" and len(call.arguments) == 1:
        column = name_of(call.arguments[0])
        default = [f"count_distinct_{column}"] if column else []
        return _assigned(names or default, 0, f"dcount({_source(text, call.arguments[0])})")
    return None


def _assigned(names: list[str], index: int, expression: str) -> str:
    return f"{names[index]} = {expression}" if index < len(names) else expression


def _percentiles(text: str, call: Call, names: list[str]) -> str:
    if len(call.arguments) < 2:
        raise NotCoveredError("percentiles() with fewer than two arguments is not covered")
    value, *levels = (_source(text, argument) for argument in call.arguments)
    column = name_of(call.arguments[0])
    parts = []
    for index, level in enumerate(levels):
        default = [f"percentile_{column}_{level.replace('.', '_')}"] if column else []
        chosen = names[index : index + 1] or default
        parts.append(_assigned(chosen, 0, f"percentile({value}, {level})"))
    return ", ".join(parts)


def _bin_at(text: str, call: Call) -> str:
    if len(call.arguments) != 3:
        raise NotCoveredError("bin_at() needs a value, a bin size and a fixed point")
    value, size, fixed = (_source(text, argument) for argument in call.arguments)
    shift = f"(({fixed}) - bin(({fixed}), {size}))"
    return f"(bin(({value}) - {shift}, {size}) + {shift})"
