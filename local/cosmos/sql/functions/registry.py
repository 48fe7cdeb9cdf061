"""How a built-in function is declared and called.

A function is called only with defined arguments of the types it declares; anything else makes the call undefined,
as the service does it, instead of an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from local.cosmos.sql.errors import QueryTooExpensive
from local.cosmos.sql.values import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING

ANY: Final = frozenset({NULL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT})
BOOLEANS: Final = frozenset({BOOLEAN})
NUMBERS: Final = frozenset({NUMBER})
STRINGS: Final = frozenset({STRING})
ARRAYS: Final = frozenset({ARRAY})
OBJECTS: Final = frozenset({OBJECT})

RESULT_LIMIT: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Function:
    """One built-in function.

    Attributes:
        call: Computes the result; undefined is an allowed result.
        kinds: Accepted types per argument; the last entry goes for all further arguments.
        required: Fewest arguments.
        maximum: Most arguments.
    """

    call: Callable[..., Any]
    kinds: tuple[frozenset[int], ...]
    required: int
    maximum: int


FUNCTIONS: Final[dict[str, Function]] = {}


def function(
    name: str, *kinds: frozenset[int], optional: int = 0, variadic: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares a built-in function.

    Args:
        name: Its name in upper case.
        kinds: Accepted types per argument.
        optional: How many of the last arguments may be left out.
        variadic: Whether the last argument may be repeated.
    """

    def declare(call: Callable[..., Any]) -> Callable[..., Any]:
        maximum = 1000 if variadic else len(kinds)
        FUNCTIONS[name] = Function(call, kinds, len(kinds) - optional, maximum)
        return call

    return declare


def bounded(size: float) -> None:
    """Refuses to build a value larger than a query may.

    Raises:
        QueryTooExpensive: The value would have more characters or elements than allowed.
    """
    if size > RESULT_LIMIT:
        raise QueryTooExpensive(f"A function's result would be longer than {RESULT_LIMIT} characters or elements.")
