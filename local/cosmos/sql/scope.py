"""Where compiled code finds its values: a flat list of slots per run, laid out at compile time."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

from local.cosmos.sql.errors import QueryError, QueryTooExpensive
from local.cosmos.sql.syntax import Name
from local.cosmos.sql.values import UNDEFINED

Environment = list[Any]

PARAMETERS, BUDGET, ROOT = 0, 1, 2
STEPS_LIMIT: Final = 20_000_000
SECONDS_LIMIT: Final = 5.0
_STEPS_PER_LOOK: Final = 512


class Budget:
    """How much work one run may do. A row costs one step, long texts and vectors cost more.

    Args:
        steps: Most steps.
        seconds: Most processor time of this thread, looked at now and then.
    """

    __slots__ = ("_deadline", "_next_look", "_steps_limit", "steps")

    def __init__(self, steps: int = STEPS_LIMIT, seconds: float = SECONDS_LIMIT) -> None:
        self.steps = 0
        self._steps_limit = steps
        self._next_look = min(steps, _STEPS_PER_LOOK)
        self._deadline = time.thread_time() + seconds

    def spend(self, steps: int = 1) -> None:
        """Counts some steps, before they are taken.

        Raises:
            QueryTooExpensive: The steps or the time are used up.
        """
        self.steps += steps
        if self.steps >= self._next_look:
            self._next_look = min(self.steps + _STEPS_PER_LOOK, self._steps_limit + 1)
            if self.steps > self._steps_limit or time.thread_time() > self._deadline:
                raise QueryTooExpensive(
                    "The query did too much work for one request; give a partition key or a filter."
                )


@dataclass(slots=True)
class Layout:
    """Hands out slots for one compiled query, its sub-queries included."""

    size: int = ROOT + 1

    def slot(self) -> int:
        """A slot nobody else has."""
        self.size += 1
        return self.size - 1

    def environment(self, parameters: dict[str, Any], budget: Budget) -> Environment:
        """Fresh slots for one run."""
        slots: Environment = [UNDEFINED] * self.size
        slots[PARAMETERS], slots[BUDGET] = parameters, budget
        return slots


@dataclass(slots=True)
class Scope:
    """The aliases one query knows, its own and those of the queries around it.

    `grouped` is set while a SELECT list after grouping is compiled: there the aliases are no longer to be seen.
    """

    layout: Layout
    parent: "Scope | None" = None
    slots: dict[str, int] = field(default_factory=dict)
    grouped: bool = False

    def define(self, alias: str, slot: int) -> None:
        """Makes an alias known.

        Raises:
            QueryError: The query already has one of that name.
        """
        if alias in self.slots:
            raise QueryError(f"The alias '{alias}' is defined more than once.")
        self.slots[alias] = slot

    def find(self, name: Name) -> int:
        """The slot of an alias.

        Raises:
            QueryError: No query around has it, or it may not be used here.
        """
        scope: Scope | None = self
        while scope is not None:
            if name.name in scope.slots:
                if scope.grouped:
                    raise QueryError(
                        f"'{name.name}' is used outside an aggregate function and is not in GROUP BY.",
                        "SC2102",
                        name.start,
                        name.start + len(name.name),
                    )
                return scope.slots[name.name]
            scope = scope.parent
        end = name.start + len(name.name)
        raise QueryError(f"Identifier '{name.name}' could not be resolved.", "SC2001", name.start, end)
