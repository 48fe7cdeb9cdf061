"""The parsed query as text spans: which operators it has and where they stand, so that parts can be replaced."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from local.insights.errors import NotCoveredError

Node = Any
"""A node of the parser's concrete syntax tree, which has no type information."""

_NAMES: Final = {"IdentifierName", "KeywordName"}


def rule(node: Node) -> str:
    """The grammar rule a node was made by."""
    return type(node).__name__.removesuffix("Context")


def children(node: Node) -> list[Node]:
    """The child nodes, tokens included."""
    return list(getattr(node, "children", None) or ())


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in source order."""
    yield node
    for child in children(node):
        yield from walk(child)


def find_all(node: Node, *rules: str) -> list[Node]:
    """All nodes of these rules at or below a node, in source order."""
    return [found for found in walk(node) if rule(found) in rules]


def only(node: Node) -> Node:
    """Descends while there is a single child: the node that says what an expression is."""
    while len(children(node)) == 1 and children(children(node)[0]):
        node = children(node)[0]
    return node


def span(node: Node) -> tuple[int, int]:
    """First and one-past-last character of a node."""
    first = getattr(node, "start", None) or node.symbol
    last = getattr(node, "stop", None) or node.symbol
    return first.start, last.stop + 1


def name_of(node: Node) -> str | None:
    """The column or function name an expression consists of; None when it is more than a name."""
    node = only(node)
    if rule(node) in _NAMES:
        return str(node.getText())
    if rule(node) == "EscapedName":
        text = str(node.getText())
        return text[2:-2] if "\\" not in text else None
    return None


def assigned_names(named: Node) -> list[str]:
    """The names on the left of an element such as `a = ...` or `(a, b) = ...`; empty when it has none."""
    clause = children(named)[0]
    if rule(clause) != "NamedExpressionNameClause":
        return []
    return [str(name.getText()) for name in find_all(clause, "IdentifierOrExtendedKeywordOrEscapedName")]


def quoted(name: str) -> str:
    """A column name as it can always be written."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


@dataclass(frozen=True, slots=True)
class Call:
    """One function call in a query."""

    name: str
    arguments: tuple[Node, ...]
    node: Node


def calls(node: Node) -> list[Call]:
    """All named function calls at or below a node, outer before inner."""
    found = []
    for call in find_all(node, "NamedFunctionCallExpression"):
        head, *rest = children(call)
        arguments = tuple(child for child in rest if rule(child) == "ArgumentExpression")
        found.append(Call(str(head.getText()), arguments, call))
    return found


@dataclass(frozen=True, slots=True)
class Stage:
    """One operator of a pipeline together with what stands before it.

    Attributes:
        text: The whole query.
        lets: The statements before the one this pipeline is in.
        head: The pipeline's source.
        before: Operators between source and this one.
        operator: This operator.
    """

    text: str
    lets: str
    head: Node
    before: tuple[Node, ...]
    operator: Node

    def source(self, node: Node) -> str:
        """The text of a node."""
        start, stop = span(node)
        return self.text[start:stop]

    @property
    def prefix(self) -> str:
        """The pipeline before this operator."""
        last = self.before[-1] if self.before else self.head
        return self.text[span(self.head)[0] : span(last)[1]]

    def replaced(self, pipeline: str) -> str:
        """The whole query with this operator and what stands before it replaced by another pipeline."""
        return self.text[: span(self.head)[0]] + pipeline + self.text[span(self.operator)[1] :]

    def edited(self, edits: dict[Node, str]) -> str:
        """This operator's text with some of its nodes replaced."""
        start, stop = span(self.operator)
        return replace_nodes(self.text[start:stop], edits, offset=start)


def replace_nodes(text: str, edits: dict[Node, str], *, offset: int = 0) -> str:
    """Text with the nodes' spans replaced. The nodes must not overlap."""
    for node, new in sorted(edits.items(), key=lambda edit: span(edit[0])[0], reverse=True):
        start, stop = span(node)
        text = text[: start - offset] + new + text[stop - offset :]
    return text


def first_stage(text: str, tree: Node, wanted: Callable[[Node], bool]) -> Stage | None:
    """The first operator that is wanted, in the order of evaluation: inner pipelines before the operator around them.

    Raises:
        NotCoveredError: It stands in the body of a function, where its input is not known.
    """
    found = _first(text, tree, wanted, statement_start=0)
    if found is not None and _in_function(tree, found.operator):
        raise NotCoveredError(f"{operator_name(found.operator)} in the body of a let function is not covered")
    return found


def _first(text: str, node: Node, wanted: Callable[[Node], bool], *, statement_start: int) -> Stage | None:
    kind = rule(node)
    if kind == "Statement":
        statement_start = span(node)[0]
    before: list[Node] = []
    kids = children(node)
    for child in kids:
        found = _first(text, child, wanted, statement_start=statement_start)
        if found is not None:
            return found
        if kind == "PipeExpression" and rule(child) == "PipedOperator":
            operator = only(children(child)[-1])
            if wanted(operator):
                return Stage(text, text[:statement_start], kids[0], tuple(before), operator)
            before.append(operator)
    return None


def _in_function(tree: Node, operator: Node) -> bool:
    functions = find_all(tree, "LetFunctionDeclaration", "LetViewDeclaration")
    return any(operator in walk(function) for function in functions)


def operator_name(operator: Node) -> str:
    """The keyword an operator starts with."""
    return str(children(operator)[0].getText()) if children(operator) else str(operator.getText())
