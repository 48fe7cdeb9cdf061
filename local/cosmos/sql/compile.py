"""Expressions to closures: each takes the slots of a run and returns a value."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.like import compile_like
from local.cosmos.sql.operators import BINARY, UNARY, negate
from local.cosmos.sql.scope import BUDGET, PARAMETERS, Environment, Scope
from local.cosmos.sql.syntax import (
    ArrayLiteral,
    Between,
    Binary,
    Call,
    Conditional,
    Constant,
    Expression,
    In,
    Index,
    Like,
    Logical,
    Member,
    Name,
    ObjectLiteral,
    Parameter,
    Subquery,
    Unary,
)
from local.cosmos.sql.values import UNDEFINED, equals, is_number

Evaluate = Callable[[Environment], Any]
Path = tuple[str, ...]
CompileCall = Callable[["Compiler", Call], Evaluate]
CompileSubquery = Callable[["Compiler", Subquery], Evaluate]


class Compiler:
    """Compiles the expressions of one query.

    Args:
        scope: The aliases to be seen.
        measures: Distance function by path, from the container's vector policy.
        calls: Compiles function calls.
        subqueries: Compiles sub-queries.
        replaced: Expressions whose value is already in a slot: group keys and aggregates.
    """

    def __init__(
        self,
        scope: Scope,
        measures: Mapping[Path, str],
        calls: CompileCall,
        subqueries: CompileSubquery,
        replaced: Mapping[Expression, int] | None = None,
    ) -> None:
        self.scope = scope
        self.measures = measures
        self.calls = calls
        self.subqueries = subqueries
        self._replaced = replaced or {}

    def for_groups(self, replaced: Mapping[Expression, int]) -> "Compiler":
        """A compiler for a SELECT list after grouping."""
        scope = Scope(self.scope.layout, self.scope.parent, self.scope.slots, grouped=True)
        return Compiler(scope, self.measures, self.calls, self.subqueries, replaced)

    def expression(self, node: Expression) -> Evaluate:
        """One expression.

        Raises:
            QueryError: It names what does not exist.
        """
        if self._replaced and node in self._replaced:
            slot = self._replaced[node]
            return lambda env: env[slot]
        return self._by_type[type(node)](self, node)

    def _constant(self, node: Constant) -> Evaluate:
        value = node.value
        return lambda _: value

    def _parameter(self, node: Parameter) -> Evaluate:
        name = node.name
        return lambda env: env[PARAMETERS].get(name, UNDEFINED)

    def _name(self, node: Name) -> Evaluate:
        slot = self.scope.find(node)
        return lambda env: env[slot]

    def _member(self, node: Member) -> Evaluate:
        key = node.key
        if isinstance(node.target, Name) and node.target not in self._replaced:
            slot = self.scope.find(node.target)

            def of_alias(env: Environment) -> Any:
                value = env[slot]
                return value.get(key, UNDEFINED) if type(value) is dict else UNDEFINED

            return of_alias
        target = self.expression(node.target)

        def of_value(env: Environment) -> Any:
            value = target(env)
            return value.get(key, UNDEFINED) if type(value) is dict else UNDEFINED

        return of_value

    def _index(self, node: Index) -> Evaluate:
        target, index = self.expression(node.target), self.expression(node.index)

        def evaluate(env: Environment) -> Any:
            value, place = target(env), index(env)
            if type(value) is list and is_number(place) and place == int(place) and 0 <= place < len(value):
                return value[int(place)]
            return value.get(place, UNDEFINED) if type(value) is dict and type(place) is str else UNDEFINED

        return evaluate

    def _unary(self, node: Unary) -> Evaluate:
        compute, operand = UNARY[node.operator], self.expression(node.operand)
        return lambda env: compute(operand(env))

    def _binary(self, node: Binary) -> Evaluate:
        left, right = self.expression(node.left), self.expression(node.right)
        if node.operator == "??":

            def coalesce(env: Environment) -> Any:
                value = left(env)
                return right(env) if value is UNDEFINED else value

            return coalesce
        compute = BINARY[node.operator]
        if isinstance(node.right, Constant):
            fixed = node.right.value
            return lambda env: compute(left(env), fixed)
        return lambda env: compute(left(env), right(env))

    def _logical(self, node: Logical) -> Evaluate:
        operands = [self.expression(operand) for operand in node.operands]
        decisive = node.operator == "OR"

        def evaluate(env: Environment) -> Any:
            result: Any = not decisive
            for operand in operands:
                value = operand(env)
                if value is decisive:
                    return decisive
                if type(value) is not bool:
                    result = UNDEFINED
            return result

        return evaluate

    def _in(self, node: In) -> Evaluate:
        value, items = self.expression(node.value), [self.expression(item) for item in node.items]

        def evaluate(env: Environment) -> Any:
            wanted = value(env)
            result: Any = False
            for item in items:
                same = equals(wanted, item(env))
                if same is True:
                    return True
                if same is UNDEFINED:
                    result = same
            return result

        return _negated(evaluate) if node.negated else evaluate

    def _between(self, node: Between) -> Evaluate:
        low, high = Binary(">=", node.value, node.low), Binary("<=", node.value, node.high)
        evaluate = self._logical(Logical("AND", (low, high)))
        return _negated(evaluate) if node.negated else evaluate

    def _like(self, node: Like) -> Evaluate:
        value, pattern, escape = self.expression(node.value), self.expression(node.pattern), node.escape
        if isinstance(node.pattern, Constant) and type(node.pattern.value) is str:
            compile_like(node.pattern.value, escape)

        def evaluate(env: Environment) -> Any:
            text, wanted = value(env), pattern(env)
            if type(text) is not str or type(wanted) is not str:
                return UNDEFINED
            compiled = compile_like(wanted, escape)
            env[BUDGET].spend(compiled.work(text))
            return compiled.matches(text)

        return _negated(evaluate) if node.negated else evaluate

    def _conditional(self, node: Conditional) -> Evaluate:
        test, then, otherwise = map(self.expression, (node.test, node.then, node.otherwise))
        return lambda env: then(env) if test(env) is True else otherwise(env)

    def _array(self, node: ArrayLiteral) -> Evaluate:
        items = [self.expression(item) for item in node.items]
        return lambda env: [value for item in items if (value := item(env)) is not UNDEFINED]

    def _object(self, node: ObjectLiteral) -> Evaluate:
        return self.members([(entry.key, entry.value) for entry in node.entries])

    def members(self, entries: list[tuple[str, Expression]]) -> Evaluate:
        """An object with a member per entry; undefined members vanish."""
        keys = [key for key, _ in entries]
        if len(set(keys)) < len(keys):
            raise QueryError("An object literal has the same property name more than once.")
        compiled = [(key, self.expression(value)) for key, value in entries]
        return lambda env: {key: value for key, member in compiled if (value := member(env)) is not UNDEFINED}

    def _call(self, node: Call) -> Evaluate:
        return self.calls(self, node)

    def _subquery(self, node: Subquery) -> Evaluate:
        return self.subqueries(self, node)

    _by_type: ClassVar[dict[type[Expression], Callable[["Compiler", Any], Evaluate]]] = {
        Constant: _constant,
        Parameter: _parameter,
        Name: _name,
        Member: _member,
        Index: _index,
        Unary: _unary,
        Binary: _binary,
        Logical: _logical,
        In: _in,
        Between: _between,
        Like: _like,
        Conditional: _conditional,
        ArrayLiteral: _array,
        ObjectLiteral: _object,
        Call: _call,
        Subquery: _subquery,
    }


def _negated(evaluate: Evaluate) -> Evaluate:
    return lambda env: negate(evaluate(env))
