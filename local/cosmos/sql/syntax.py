"""The syntax tree of a query. Nodes are values: equal trees mean the same query."""

from dataclasses import dataclass
from typing import Any

from local.cosmos.sql.values import UNDEFINED


@dataclass(frozen=True, slots=True)
class Node:
    """Base of everything in the tree."""


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """Base of what has a value."""


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A literal; `kind` keeps true apart from 1 and 1 apart from 1.0 when trees are compared."""

    value: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Parameter(Expression):
    """`@name`, with the @."""

    name: str


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """An alias of FROM or JOIN."""

    name: str
    start: int = -1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """`target.key` or `target["key"]`."""

    target: Expression
    key: str


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """`target[index]` where the index is not a string literal."""

    target: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """`-`, `+`, `~` or `NOT` before an operand."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """An operator between two operands, other than AND and OR."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logical(Expression):
    """A chain of AND or a chain of OR."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class In(Expression):
    """`value [NOT] IN (items)`."""

    value: Expression
    items: tuple[Expression, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Between(Expression):
    """`value [NOT] BETWEEN low AND high`."""

    value: Expression
    low: Expression
    high: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Like(Expression):
    """`value [NOT] LIKE pattern [ESCAPE character]`."""

    value: Expression
    pattern: Expression
    escape: str | None
    negated: bool


@dataclass(frozen=True, slots=True)
class Conditional(Expression):
    """`test ? then : otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function with its name in upper case; `written` is the name as the query has it."""

    name: str
    arguments: tuple[Expression, ...]
    written: str = ""
    start: int = -1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and (other.name, other.arguments) == (self.name, self.arguments)

    def __hash__(self) -> int:
        return hash((self.name, self.arguments))


@dataclass(frozen=True, slots=True)
class ArrayLiteral(Expression):
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Entry(Node):
    """One member of an object literal."""

    key: str
    value: Expression


@dataclass(frozen=True, slots=True)
class ObjectLiteral(Expression):
    """`{"key": value}`."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Subquery(Expression):
    """`(SELECT ..)`, `EXISTS (SELECT ..)` or `ARRAY (SELECT ..)`; `form` is `scalar`, `exists` or `array`."""

    form: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Placeholder(Expression):
    """A text that stands for an expression in a rewritten query until the client puts one there. Never parsed."""

    text: str


@dataclass(frozen=True, slots=True)
class Item(Node):
    """One entry of a SELECT list with the name it gets in the result."""

    value: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Source(Node):
    """One input of FROM or JOIN; `iterated` for `alias IN collection`.

    `root` marks the name that stands for the container's items, whatever it is called.
    """

    collection: Expression
    alias: str
    iterated: bool
    root: bool


@dataclass(frozen=True, slots=True)
class Order(Node):
    """One key of ORDER BY; `descending` is None where the query does not say."""

    value: Expression
    descending: bool | None


@dataclass(frozen=True, slots=True)
class Query(Node):
    """A whole SELECT. `items` holds one entry for SELECT VALUE and none for SELECT *."""

    items: tuple[Item, ...]
    sources: tuple[Source, ...] = ()
    value: bool = False
    distinct: bool = False
    top: Expression | None = None
    where: Expression | None = None
    group_by: tuple[Expression, ...] = ()
    order_by: tuple[Order, ...] = ()
    offset: Expression | None = None
    limit: Expression | None = None

    @property
    def star(self) -> bool:
        """Whether it is SELECT *."""
        return not self.items


def constant(value: Any) -> Constant:
    """A literal node for a JSON value or undefined."""
    return Constant(value, "undefined" if value is UNDEFINED else type(value).__name__)
