"""Values of expressions."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.infra.bicep import nodes as n
from tests.infra.bicep.functions import FUNCTIONS, as_string
from tests.infra.bicep.syntax import BicepError

Locals = Mapping[str, Any]


class Symbols(Protocol):
    """What names of a file mean."""

    folder: Path

    def value(self, name: str) -> Any:
        """The value of a parameter, variable, resource or module."""


class Evaluator:
    """Evaluates the expressions of one file."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols

    def value(self, node: n.Expression, local: Locals | None = None) -> Any:
        """The value of an expression.

        Raises:
            BicepError: Azure would refuse it, or it uses what this evaluator does not know.
        """
        return self._value(node, {} if local is None else local)

    def _value(self, node: n.Expression, local: Locals) -> Any:  # noqa: PLR0911  one return for each kind of node
        match node:
            case n.Literal(value):
                return value
            case n.Name(name):
                return local[name] if name in local else self._symbols.value(name)
            case n.Paren(inner):
                return self._value(inner, local)
            case n.Interpolated(pieces):
                return "".join(as_string(self._value(piece, local)) for piece in pieces)
            case n.Array(items):
                return [self._value(item, local) for item in items]
            case n.Object(pairs):
                return self._object(pairs, local)
            case n.Ternary(condition, then, otherwise):
                return self._value(then if self._value(condition, local) else otherwise, local)
            case n.For():
                return [self._value(node.body, inner) for inner in self.rounds(node, local)]
            case _:
                return self._operation(node, local)

    def _operation(self, node: n.Expression, local: Locals) -> Any:
        match node:
            case n.Member(target, name, safe):
                return _member(self._value(target, local), name, safe=safe)
            case n.Index(target, index):
                return _item(self._value(target, local), self._value(index, local))
            case n.Unary("!", operand):
                return not self._value(operand, local)
            case n.Binary(operator, left, right):
                return self._binary(operator, left, right, local)
            case n.Lambda(parameters, body):
                return lambda *values: self._value(body, {**local, **dict(zip(parameters, values, strict=False))})
            case n.Call(function, arguments):
                return self._call(function, [self._value(argument, local) for argument in arguments])
            case _:
                raise BicepError(f"not covered: {node}")

    def rounds(self, loop: n.For, local: Locals) -> list[dict[str, Any]]:
        """The local names of each round of a loop."""
        source = self._value(loop.source, local)
        if not isinstance(source, list):
            raise BicepError(f"a loop over {type(source).__name__}, which is no array")
        return [{**local, loop.item: item} | ({loop.index: i} if loop.index else {}) for i, item in enumerate(source)]

    def _object(self, pairs: tuple[tuple[n.Expression, n.Expression], ...], local: Locals) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            name = self._value(key, local)
            if name in found:
                raise BicepError(f"the property {name} is given twice")
            found[name] = self._value(value, local)
        return found

    def _binary(self, operator: str, left: n.Expression, right: n.Expression, local: Locals) -> Any:
        first = self._value(left, local)
        if operator in _SHORT:
            return first if _SHORT[operator](first) else self._value(right, local)
        if operator not in _BINARY:
            raise BicepError(f"the operator {operator} is not covered")
        return _BINARY[operator](first, self._value(right, local))

    def _call(self, function: str, arguments: list[Any]) -> Any:
        if function in {"loadJsonContent", "loadTextContent"}:
            content = (self._symbols.folder / arguments[0]).read_text()
            return json.loads(content) if function == "loadJsonContent" else content
        if function not in FUNCTIONS:
            raise BicepError(f"the function {function} is not covered")
        try:
            return FUNCTIONS[function](*arguments)
        except (TypeError, ValueError, KeyError) as error:
            raise BicepError(f"{function}: {error}") from error


_SHORT: dict[str, Callable[[Any], bool]] = {
    "??": lambda value: value is not None,
    "&&": lambda value: not value,
    "||": bool,
}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


def _member(target: Any, name: str, *, safe: bool) -> Any:
    if isinstance(target, dict):
        if name not in target and not safe:
            raise BicepError(f"there is no {name} among {', '.join(target) or 'no properties'}")
        return target.get(name)
    if target is None or not hasattr(target, "member"):
        raise BicepError(f"{name} of something that is not there or has no properties: {target!r}")
    return target.member(name)


def _item(target: Any, index: Any) -> Any:
    try:
        return target[index]
    except (IndexError, KeyError, TypeError) as error:
        raise BicepError(f"there is no {index!r}") from error
