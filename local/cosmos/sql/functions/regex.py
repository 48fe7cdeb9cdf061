"""Regular expressions whose time is bounded: pattern to tree to program, run without backtracking.

The program is followed in all its branches at once, character by character, so a hostile pattern costs no more than its
length times the text's. What cannot be run that way (back references, look-around) is refused by name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.functions.regex_pieces import Alternatives, Assertion, Character, Piece, Repeat, Sequence
from local.cosmos.sql.functions.regex_syntax import parse_pattern

_PROGRAM_LIMIT: Final = 2000


@dataclass(slots=True)
class _Step:
    """One instruction: a character to accept, a condition on the place, or a fork; or the end."""

    accepts: Callable[[str], bool] | None = None
    holds: Callable[[str, int], bool] | None = None
    forks: list[int] = field(default_factory=list)
    is_end: bool = False


class _Builder:
    def __init__(self) -> None:
        self.steps: list[_Step] = []

    def add(self, step: _Step) -> int:
        if len(self.steps) >= _PROGRAM_LIMIT:
            raise QueryError("The regular expression is too long once its repeats are written out.")
        self.steps.append(step)
        return len(self.steps) - 1

    def build(self, piece: Piece, following: int) -> int:
        """Writes a piece that goes on to the step `following`; returns its first step."""
        match piece:
            case Character(accepts):
                return self.add(_Step(accepts=accepts, forks=[following]))
            case Assertion(holds):
                return self.add(_Step(holds=holds, forks=[following]))
            case Sequence(parts):
                for part in reversed(parts):
                    following = self.build(part, following)
                return following
            case Alternatives(parts):
                return self.add(_Step(forks=[self.build(part, following) for part in parts]))
            case Repeat():
                return self._repeat(piece, following)
        raise TypeError(f"no program for {type(piece).__name__}")

    def _repeat(self, piece: Repeat, following: int) -> int:
        if piece.most is None:
            loop = self.add(_Step(forks=[following]))
            self.steps[loop].forks.append(self.build(piece.piece, loop))
            following = loop
        else:
            end = following
            for _ in range(piece.most - piece.least):
                following = self.add(_Step(forks=[end, self.build(piece.piece, following)]))
        for _ in range(piece.least):
            following = self.build(piece.piece, following)
        return following


class Regex:
    """A compiled pattern."""

    def __init__(self, pattern: str, modifiers: str) -> None:
        builder = _Builder()
        end = builder.add(_Step(is_end=True))
        self._start = builder.build(parse_pattern(pattern, modifiers), end)
        self._steps = builder.steps

    def work(self, text: str) -> int:
        """How many steps a search may take."""
        return (len(text) + 1) * len(self._steps)

    def found_in(self, text: str) -> bool:
        """Whether the pattern fits anywhere in a text."""
        current: set[int] = set()
        for place in range(len(text) + 1):
            if self._follow(current, self._start, text, place):
                return True
            if place == len(text):
                return False
            character, following = text[place], set[int]()
            for index in current:
                step = self._steps[index]
                is_taken = step.accepts is not None and step.accepts(character)
                if is_taken and self._follow(following, step.forks[0], text, place + 1):
                    return True
            current = following
        return False

    def _follow(self, reached: set[int], first: int, text: str, place: int) -> bool:
        """Adds all steps that can be reached without a character; tells whether the end is among them."""
        pending = [first]
        while pending:
            index = pending.pop()
            if index in reached:
                continue
            reached.add(index)
            step = self._steps[index]
            if step.is_end:
                return True
            if step.accepts is None and (step.holds is None or step.holds(text, place)):
                pending.extend(step.forks)
        return False


@lru_cache(maxsize=128)
def compile_regex(pattern: str, modifiers: str) -> Regex:
    """A pattern ready to search.

    Raises:
        QueryError: The pattern is wrong, or needs what cannot be run in bounded time.
    """
    return Regex(pattern, modifiers)
