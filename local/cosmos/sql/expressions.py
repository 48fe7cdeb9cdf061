"""Expressions: tokens to tree, by operator precedence."""

from abc import ABC, abstractmethod
from typing import Final

from local.cosmos.sql.cursor import Cursor
from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.syntax import (
    ArrayLiteral,
    Between,
    Binary,
    Call,
    Conditional,
    Constant,
    Entry,
    Expression,
    In,
    Index,
    Like,
    Logical,
    Member,
    Name,
    ObjectLiteral,
    Parameter,
    Query,
    Subquery,
    Unary,
    constant,
)
from local.cosmos.sql.tokens import Token
from local.cosmos.sql.values import UNDEFINED

# From weakest to strongest. NOT stands between AND and the comparisons; unary operators bind strongest.
_LEVELS: Final = (
    ("??",),
    ("OR",),
    ("AND",),
    ("=", "!=", "<>", "<", ">", "<=", ">=", "IN", "BETWEEN", "LIKE"),
    ("|",),
    ("^",),
    ("&",),
    ("<<", ">>", ">>>"),
    ("||", "+", "-"),
    ("*", "/", "%"),
)
PRECEDENCE: Final = {operator: level for level, operators in enumerate(_LEVELS, 1) for operator in operators}
_NEGATABLE: Final = ("IN", "BETWEEN", "LIKE")
_NOT: Final = PRECEDENCE["AND"] + 1
_COMPARISON: Final = PRECEDENCE["="]
_ABOVE_COMPARISON: Final = _COMPARISON + 1
_WORDS: Final = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_DIGITS_LIMIT: Final = 400


class ExpressionParser(Cursor, ABC):
    """Parses scalar expressions."""

    @abstractmethod
    def query(self) -> Query:
        """A whole SELECT, for sub-queries."""

    def expression(self) -> Expression:
        """An expression of any kind."""
        self.enter()
        result = self._operators(1)
        if self.accept("?"):
            then = self.expression()
            self.expect(":")
            result = Conditional(result, then, self.expression())
        self.leave()
        return result

    def _operators(self, weakest: int) -> Expression:
        left = self._negation() if weakest <= _NOT and self.at("NOT") else self._unary()
        while True:
            negated = self.at("NOT") and self.after_next(*_NEGATABLE) and weakest <= _COMPARISON
            if negated:
                self.take()
            token = self.token
            strength = PRECEDENCE.get(token.text, 0) if token.kind in {"operator", "keyword"} else 0
            if strength == 0 or strength < weakest:
                return left
            self.take()
            left = self._apply(token.text, left, strength, negated=negated)

    def _apply(self, operator: str, left: Expression, strength: int, *, negated: bool) -> Expression:
        match operator:
            case "IN":
                return self._in(left, negated=negated)
            case "BETWEEN":
                low = self._operators(_ABOVE_COMPARISON)
                self.expect("AND")
                return Between(left, low, self._operators(_ABOVE_COMPARISON), negated)
            case "LIKE":
                return self._like(left, negated=negated)
            case "AND" | "OR":
                right = self._operators(strength + 1)
                chain = isinstance(left, Logical) and left.operator == operator
                operands = left.operands if chain and isinstance(left, Logical) else (left,)
                return Logical(operator, (*operands, right))
            case "<>":
                operator = "!="
        return Binary(operator, left, self._operators(strength + 1))

    def _in(self, value: Expression, *, negated: bool) -> Expression:
        self.expect("(")
        items = [self.expression()]
        while self.accept(","):
            items.append(self.expression())
        self.expect(")")
        return In(value, tuple(items), negated)

    def _like(self, value: Expression, *, negated: bool) -> Expression:
        pattern = self._operators(_ABOVE_COMPARISON)
        escape = None
        if self.accept("ESCAPE"):
            if self.token.kind != "string" or len(self.token.text) != 1:
                self.fail("ESCAPE takes a string of one character")
            escape = self.take().text
        return Like(value, pattern, escape, negated)

    def _negation(self) -> Expression:
        self.enter()
        self.take()
        operand = Unary("NOT", self._operators(_NOT))
        self.leave()
        return operand

    def _unary(self) -> Expression:
        token = self.accept("-", "+", "~", "NOT")
        if token is None:
            return self._postfix(self._primary())
        self.enter()
        operand = self._unary()
        self.leave()
        if (
            token.text == "-"
            and isinstance(operand, Constant)
            and operand.kind in {"int", "float"}
            and operand.value > 0
        ):
            return constant(-operand.value)
        return Unary(token.text, operand)

    def _postfix(self, target: Expression) -> Expression:
        while True:
            if self.accept("."):
                if self.token.kind != "name":
                    self.fail("expected a property name")
                target = Member(target, self.take().text)
            elif self.accept("["):
                index = self.expression()
                self.expect("]")
                is_key = isinstance(index, Constant) and index.kind == "str"
                target = Member(target, index.value) if isinstance(index, Constant) and is_key else Index(target, index)
            else:
                return target

    def _primary(self) -> Expression:
        token = self.take()
        match token.kind:
            case "number":
                return constant(_number(token))
            case "string":
                return constant(token.text)
            case "parameter":
                return Parameter(token.text)
            case "name":
                return self._call(token) if self.at("(") else Name(token.text, token.start)
        return self._opened(token)

    def _opened(self, token: Token) -> Expression:
        match token.text:
            case "(":
                return self._parentheses()
            case "[":
                return ArrayLiteral(tuple(self._separated("]")))
            case "{":
                return ObjectLiteral(tuple(self._entries()))
            case "EXISTS" | "ARRAY":
                self.expect("(")
                return self._subquery(token.text.lower())
            case "TRUE" | "FALSE" | "NULL" | "UNDEFINED":
                return constant(_WORDS[token.text])
        if token.text == "UDF":
            message = "User-defined functions are not covered by this server."
            raise QueryError(message, "SC2005", token.start, token.end)
        raise QueryError(f"Syntax error, incorrect syntax near '{token.text}'.", start=token.start, end=token.end)

    def _parentheses(self) -> Expression:
        if self.at("SELECT"):
            return self._subquery("scalar")
        inner = self.expression()
        self.expect(")")
        return inner

    def _subquery(self, form: str) -> Expression:
        self.enter()
        query = self.query()
        self.expect(")")
        self.leave()
        return Subquery(form, query)

    def _call(self, name: Token) -> Expression:
        self.expect("(")
        return Call(name.text.upper(), tuple(self._separated(")")), name.text, name.start)

    def _separated(self, end: str) -> list[Expression]:
        items: list[Expression] = []
        while not self.accept(end):
            if items:
                self.expect(",")
            items.append(self.expression())
        return items

    def _entries(self) -> list[Entry]:
        entries: list[Entry] = []
        while not self.accept("}"):
            if entries:
                self.expect(",")
            if self.token.kind not in {"string", "name"}:
                self.fail("expected a property name")
            key = self.take().text
            self.expect(":")
            entries.append(Entry(key, self.expression()))
        return entries


def _number(token: Token) -> float:
    text = token.text
    if len(text) > _DIGITS_LIMIT:
        raise QueryError("A number literal is too long.", start=token.start, end=token.end)
    is_hexadecimal = text[:2] in {"0x", "0X"}
    value: float = int(text, 16) if is_hexadecimal else int(text) if text.isdigit() else float(text)
    if isinstance(value, int) and value > 2**63 - 1:
        value = float(value)
    if value == float("inf"):
        raise QueryError("A number literal is out of range.", start=token.start, end=token.end)
    return value
