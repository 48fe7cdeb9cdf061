"""LIKE patterns, matched without backtracking over the whole text."""

from dataclasses import dataclass
from functools import lru_cache

from local.cosmos.sql.errors import QueryError


@dataclass(frozen=True, slots=True)
class _Class:
    """`[abc]`, `[a-z]` or `[^abc]`."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def accepts(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) != self.negated


_One = str | _Class | None  # a character, a class, or None for the underscore


@dataclass(frozen=True, slots=True)
class _Gap:
    """What stands between two percent signs; `plain` is its text when it has no wildcards."""

    ones: tuple[_One, ...]
    plain: str | None

    def fits(self, text: str, place: int) -> bool:
        if self.plain is not None:
            return text.startswith(self.plain, place)
        return all(_accepts(one, text[place + offset]) for offset, one in enumerate(self.ones))

    def find(self, text: str, start: int, end: int) -> int:
        """The first place at or after `start` where it fits before `end`, or -1."""
        if self.plain is not None:
            return text.find(self.plain, start, end)
        return next((place for place in range(start, end - len(self.ones) + 1) if self.fits(text, place)), -1)


def _accepts(one: _One, character: str) -> bool:
    return one is None or (one == character if isinstance(one, str) else one.accepts(character))


class LikePattern:
    """A compiled pattern.

    Between percent signs stand pieces of fixed length; the leftmost place for each piece is always right, so one pass
    over the text is enough.
    """

    def __init__(self, pattern: str, escape: str | None) -> None:
        self._pieces = [_gap(piece) for piece in _pieces(pattern, escape)]
        self._longest = max((len(piece.ones) for piece in self._pieces if piece.plain is None), default=0)

    def work(self, text: str) -> int:
        """How many steps a match may take."""
        return 1 + len(text) * self._longest

    def matches(self, text: str) -> bool:
        """Whether the pattern fits the whole text."""
        first, *rest = self._pieces
        if not rest:
            return len(text) == len(first.ones) and first.fits(text, 0)
        *middle, last = rest
        place, end = len(first.ones), len(text) - len(last.ones)
        if end < place or not first.fits(text, 0) or not last.fits(text, end):
            return False
        for piece in middle:
            found = piece.find(text, place, end)
            if found < 0:
                return False
            place = found + len(piece.ones)
        return True


@lru_cache(maxsize=256)
def compile_like(pattern: str, escape: str | None) -> LikePattern:
    """A pattern ready to match.

    Raises:
        QueryError: A character class is empty.
    """
    return LikePattern(pattern, escape)


def _gap(ones: list[_One]) -> _Gap:
    characters = [one for one in ones if isinstance(one, str)]
    return _Gap(tuple(ones), "".join(characters) if len(characters) == len(ones) else None)


def _pieces(pattern: str, escape: str | None) -> list[list[_One]]:
    pieces: list[list[_One]] = [[]]
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if escape is not None and character == escape and place < len(pattern):
            pieces[-1].append(pattern[place])
            place += 1
        elif character == "%":
            pieces.append([])
        elif character == "_":
            pieces[-1].append(None)
        elif character == "[" and (end := pattern.find("]", place + 1)) > 0:
            pieces[-1].append(_class(pattern[place:end]))
            place = end + 1
        else:
            pieces[-1].append(character)
    return pieces


def _class(text: str) -> _Class:
    negated = text.startswith("^")
    text = text[negated:]
    if not text:
        raise QueryError("A LIKE pattern has an empty character class.")
    ranges: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        is_range = text[place + 1 : place + 2] == "-" and place + 2 < len(text)
        ranges.append((text[place], text[place + 2] if is_range else text[place]))
        place += 3 if is_range else 1
    return _Class(tuple(ranges), negated)
