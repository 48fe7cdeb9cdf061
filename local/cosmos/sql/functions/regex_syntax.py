"""Regular expressions: pattern text to a tree."""

import string
from typing import Final

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.functions.regex_pieces import (
    CLASSES,
    Accepts,
    Alternatives,
    Assertion,
    Character,
    Piece,
    Repeat,
    Sequence,
    at_line_end,
    at_line_start,
    at_word_edge,
)

_REPEAT_LIMIT: Final = 1000
_NESTING_LIMIT: Final = 50
_PATTERN_LIMIT: Final = 1000


_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}


class _Parser:
    def __init__(self, pattern: str, modifiers: str) -> None:
        if len(pattern) > _PATTERN_LIMIT:
            raise QueryError(f"A regular expression can have at most {_PATTERN_LIMIT} characters.")
        if unknown := set(modifiers) - set("imsx"):
            raise QueryError(f"RegexMatch knows the modifiers i, m, s and x, not {', '.join(sorted(unknown))}.")
        self._pattern = pattern
        self._place = 0
        self._depth = 0
        self._ignores_case = "i" in modifiers
        self._by_lines = "m" in modifiers
        self._dot_is_all = "s" in modifiers
        self._is_spaced = "x" in modifiers

    def whole(self) -> Piece:
        piece = self._alternatives()
        if self._place < len(self._pattern):
            raise self._wrong("unexpected ')'")
        return piece

    def _wrong(self, reason: str) -> QueryError:
        return QueryError(f"The regular expression is wrong at character {self._place}: {reason}.")

    def _next(self) -> str:
        return self._pattern[self._place : self._place + 1]

    def _take(self) -> str:
        character = self._next()
        if not character:
            raise self._wrong("it ends too early")
        self._place += 1
        return character

    def _accept(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._place)
        self._place += len(text) * found
        return found

    def _alternatives(self) -> Piece:
        parts = [self._sequence()]
        while self._accept("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def _sequence(self) -> Piece:
        parts: list[Piece] = []
        while self._next() not in {"", "|", ")"}:
            if self._is_spaced and self._next().isspace():
                self._place += 1
                continue
            parts.append(self._repeated(self._piece()))
        return Sequence(tuple(parts))

    def _repeated(self, piece: Piece) -> Piece:
        bounds = self._bounds()
        if bounds is None:
            return piece
        self._accept("?")
        if self._next() in {"*", "+", "?"}:
            raise self._wrong("a repeat cannot be repeated")
        return Repeat(piece, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._accept(sign):
                return bounds
        end = self._pattern.find("}", self._place)
        inside = self._pattern[self._place + 1 : end] if self._next() == "{" and end > 0 else ""
        low, comma, high = inside.partition(",")
        if not (low.isascii() and low.isdecimal() and (not high or (high.isascii() and high.isdecimal()))):
            return None
        self._place = end + 1
        least, most = int(low), int(high) if high else None if comma else int(low)
        if max(least, most or 0) > _REPEAT_LIMIT or (most is not None and most < least):
            raise self._wrong(f"a repeat goes from fewer to more, up to {_REPEAT_LIMIT}")
        return least, most

    def _piece(self) -> Piece:
        character = self._take()
        match character:
            case "(":
                return self._group()
            case "[":
                return Character(self._set())
            case ".":
                return Character((lambda _: True) if self._dot_is_all else (lambda other: other != "\n"))
            case "^" | "$":
                return self._anchor(character)
            case "*" | "+" | "?":
                raise self._wrong("there is nothing to repeat")
        return self._escape() if character == "\\" else self._literal(character)

    def _literal(self, character: str) -> Piece:
        return Character(self._folded(character.__eq__))

    def _folded(self, accepts: Accepts) -> Accepts:
        if not self._ignores_case:
            return accepts
        return lambda character: accepts(character) or accepts(character.lower()) or accepts(character.upper())

    def _anchor(self, character: str) -> Piece:
        if self._by_lines:
            return Assertion(at_line_start if character == "^" else at_line_end)
        if character == "^":
            return Assertion(lambda _, place: place == 0)
        return Assertion(lambda text, place: place == len(text) or (place == len(text) - 1 and text[place] == "\n"))

    def _group(self) -> Piece:
        if self._accept("?") and not self._accept(":"):
            raise self._wrong("only plain groups and (?:..) are covered; look-around and named groups are not")
        self._depth += 1
        if self._depth > _NESTING_LIMIT:
            raise self._wrong("groups are nested too deep")
        piece = self._alternatives()
        if not self._accept(")"):
            raise self._wrong("a ')' is missing")
        self._depth -= 1
        return piece

    def _escape(self) -> Piece:
        character = self._take()
        if character in CLASSES:
            return Character(CLASSES[character])
        if character in {"b", "B"}:
            wanted = character == "b"
            return Assertion(lambda text, place: at_word_edge(text, place) == wanted)
        return self._literal(self._escaped(character))

    def _escaped(self, character: str) -> str:
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character in {"x", "u"}:
            length = 2 if character == "x" else 4
            digits = self._pattern[self._place : self._place + length]
            if len(digits) < length or not set(digits) <= set(string.hexdigits):
                raise self._wrong(f"\\{character} takes {length} hexadecimal digits")
            self._place += length
            return chr(int(digits, 16))
        if character.isalnum():
            raise self._wrong(f"\\{character} is not covered")
        return character

    def _set(self) -> Accepts:
        negated, singles, tests = self._accept("^"), set[str](), list[Accepts]()
        first = True
        while first or self._next() != "]":
            first = False
            low = self._set_member(tests)
            if low is None:
                continue
            if self._next() == "-" and self._pattern[self._place + 1 : self._place + 2] not in {"]", ""}:
                self._place += 1
                high = self._set_member(tests)
                if high is None or high < low:
                    raise self._wrong("a range in a set goes from a lower to a higher character")
                tests.append(_between(low, high))
            else:
                singles.add(low)
        self._place += 1
        listed = self._folded(lambda character: character in singles or any(test(character) for test in tests))
        return lambda character: listed(character) != negated

    def _set_member(self, tests: list[Accepts]) -> str | None:
        """The next character of a set, or None when it was a whole class, which goes to the tests."""
        character = self._take()
        if character != "\\":
            return character
        escaped = self._take()
        if escaped in CLASSES:
            tests.append(CLASSES[escaped])
            return None
        return "\b" if escaped == "b" else self._escaped(escaped)


def _between(low: str, high: str) -> Accepts:
    return lambda character: low <= character <= high


def parse_pattern(pattern: str, modifiers: str) -> Piece:
    """The tree of a pattern.

    Args:
        pattern: The regular expression.
        modifiers: Any of i (ignore case), m (anchors by lines), s (dot is all), x (ignore white space).

    Raises:
        QueryError: It is wrong, or uses what is not covered.
    """
    return _Parser(pattern, modifiers).whole()
