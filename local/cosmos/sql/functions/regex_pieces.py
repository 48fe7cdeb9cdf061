"""What a regular expression is made of: characters, conditions on a place, and how they are put together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Accepts = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Piece:
    """Base of everything in a pattern."""


@dataclass(frozen=True, slots=True)
class Character(Piece):
    """One character out of some."""

    accepts: Accepts


@dataclass(frozen=True, slots=True)
class Assertion(Piece):
    """A condition on a place in the text."""

    holds: Callable[[str, int], bool]


@dataclass(frozen=True, slots=True)
class Sequence(Piece):
    """One piece after the other."""

    parts: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Alternatives(Piece):
    """Any of some pieces."""

    parts: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Repeat(Piece):
    """A piece `least` to `most` times; None is without end."""

    piece: Piece
    least: int
    most: int | None


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


CLASSES: Final[dict[str, Accepts]] = {
    "d": str.isdecimal,
    "w": _is_word,
    "s": str.isspace,
    "D": lambda character: not character.isdecimal(),
    "W": lambda character: not _is_word(character),
    "S": lambda character: not character.isspace(),
}


def at_word_edge(text: str, place: int) -> bool:
    """Whether a word starts or ends here."""
    before = place > 0 and _is_word(text[place - 1])
    after = place < len(text) and _is_word(text[place])
    return before != after


def at_line_start(text: str, place: int) -> bool:
    """Whether a line starts here."""
    return place == 0 or text[place - 1] == "\n"


def at_line_end(text: str, place: int) -> bool:
    """Whether a line ends here."""
    return place == len(text) or text[place] == "\n"
