"""Expressions of Bicep as values, lowered from the grammar's tree."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tree_sitter import Node

from tests.infra.bicep.syntax import BicepError, field, parts, text

ESCAPES = {"\\'": "'", "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\$": "$"}
LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Interpolated:
    pieces: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    target: "Expression"
    name: str
    safe: bool


@dataclass(frozen=True, slots=True)
class Index:
    target: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Lambda:
    parameters: tuple[str, ...]
    body: "Expression"


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Ternary:
    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class Paren:
    inner: "Expression"


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Object:
    pairs: tuple[tuple["Expression", "Expression"], ...]


@dataclass(frozen=True, slots=True)
class For:
    item: str
    index: str | None
    source: "Expression"
    body: "Expression"


@dataclass(frozen=True, slots=True)
class If:
    condition: "Expression"
    body: "Expression"


Expression = (
    Literal
    | Interpolated
    | Name
    | Member
    | Index
    | Call
    | Lambda
    | Unary
    | Binary
    | Ternary
    | Paren
    | Array
    | Object
    | For
    | If
)


def lower(node: Node) -> Expression:
    """The expression that a node of the tree stands for.

    Raises:
        BicepError: It is of a kind that this evaluator does not know.
    """
    known = _LOWER.get(node.type)
    if known is None:
        raise BicepError(f"line {node.start_point.row + 1}: {node.type} is not covered: {text(node)[:60]!r}")
    return known(node)


def _string(node: Node) -> Expression:
    pieces = tuple(_piece(child) for child in parts(node))
    if all(isinstance(piece, Literal) for piece in pieces):
        return Literal("".join(piece.value for piece in pieces if isinstance(piece, Literal)))
    return Interpolated(pieces)


def _piece(node: Node) -> Expression:
    if node.type == "interpolation":
        return lower(parts(node)[0])
    return Literal(ESCAPES[text(node)] if node.type == "escape_sequence" else text(node))


def _member(node: Node) -> Expression:
    name = text(field(node, "property"))
    safe = any(child.type in {".?", "?"} for child in node.children)
    return _innermost(lower(field(node, "object")), lambda target: Member(target, name, safe))


def _subscript(node: Node) -> Expression:
    index = lower(field(node, "index"))
    return _innermost(lower(field(node, "object")), lambda target: Index(target, index))


def _innermost(target: Expression, wrap: Callable[[Expression], Expression]) -> Expression:
    """Applies an access to what it belongs to: the grammar lets `a ? b : c.d` read as `(a ? b : c).d`."""
    match target:
        case Ternary(condition, then, otherwise):
            return Ternary(condition, then, _innermost(otherwise, wrap))
        case Binary(operator, left, right):
            return Binary(operator, left, _innermost(right, wrap))
        case Unary(operator, operand):
            return Unary(operator, _innermost(operand, wrap))
        case Lambda(parameters, body):
            return Lambda(parameters, _innermost(body, wrap))
        case _:
            return wrap(target)


def _call(node: Node) -> Expression:
    arguments = tuple(lower(child) for child in parts(field(node, "arguments")))
    return Call(text(field(node, "function")), arguments)


def _lambda(node: Node) -> Expression:
    *parameters, body = parts(node)
    return Lambda(tuple(text(parameter) for parameter in parameters), lower(body))


def _binary(node: Node) -> Expression:
    operator, left, right = text(field(node, "operator")), lower(field(node, "left")), lower(field(node, "right"))
    return _under_lambda(left, lambda inner: Binary(operator, inner, right))


def _ternary(node: Node) -> Expression:
    condition, then, otherwise = (lower(field(node, name)) for name in ("condition", "consequence", "alternative"))
    return _under_lambda(condition, lambda inner: Ternary(inner, then, otherwise))


def _under_lambda(first: Expression, wrap: Callable[[Expression], Expression]) -> Expression:
    """A lambda's body reaches as far as it can: the grammar lets `a => a.b == c` read as `(a => a.b) == c`."""
    if isinstance(first, Lambda):
        return Lambda(first.parameters, _under_lambda(first.body, wrap))
    return wrap(first)


def _object(node: Node) -> Expression:
    pairs = []
    for child in parts(node):
        key, value = parts(child)
        name = Literal(text(key)) if key.type in {"identifier", "property_identifier"} else lower(key)
        pairs.append((name, lower(value)))
    return Object(tuple(pairs))


def _for(node: Node) -> Expression:
    head, source, body = parts(node)
    names = [text(part) for part in parts(head)] if head.type == "for_loop_parameters" else [text(head)]
    return For(names[0], names[1] if len(names) > 1 else None, lower(source), lower(body))


def _if(node: Node) -> Expression:
    condition, body = parts(node)
    return If(lower(condition), lower(body))


_LOWER: dict[str, Callable[[Node], Expression]] = {
    "string": _string,
    "number": lambda node: Literal(int(text(node))),
    "boolean": lambda node: Literal(LITERALS[text(node)]),
    "null": lambda _: Literal(None),
    "identifier": lambda node: Name(text(node)),
    "member_expression": _member,
    "subscript_expression": _subscript,
    "call_expression": _call,
    "lambda_expression": _lambda,
    "unary_expression": lambda node: Unary(text(field(node, "operator")), lower(field(node, "argument"))),
    "binary_expression": _binary,
    "ternary_expression": _ternary,
    "parenthesized_expression": lambda node: Paren(lower(parts(node)[0])),
    "array": lambda node: Array(tuple(lower(child) for child in parts(node))),
    "object": _object,
    "for_statement": _for,
    "if_statement": _if,
}
