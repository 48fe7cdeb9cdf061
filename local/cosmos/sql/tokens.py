"""Query text to tokens."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from local.cosmos.sql.errors import QueryError

Kind = Literal["keyword", "name", "number", "string", "parameter", "operator", "end"]

KEYWORDS: Final = frozenset(
    {
        "SELECT",
        "DISTINCT",
        "TOP",
        "VALUE",
        "AS",
        "FROM",
        "JOIN",
        "IN",
        "WHERE",
        "GROUP",
        "BY",
        "ORDER",
        "ASC",
        "DESC",
        "OFFSET",
        "LIMIT",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "LIKE",
        "ESCAPE",
        "EXISTS",
        "ARRAY",
        "NULL",
        "TRUE",
        "FALSE",
        "UNDEFINED",
        "UDF",
    }
)

_TOKEN: Final = re.compile(
    r"""
      (?P<space>   \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<number>  0[xX][0-9a-fA-F]+ | (?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<string>  '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" )
    | (?P<name>    [^\W\d]\w* )
    | (?P<parameter> @\w+ )
    | (?P<operator> \?\? | \|\| | != | <> | <= | >= | << | >>> | >> | [-+*/%=<>&|^~()\[\]{},.:?] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", "'": "'", '"': '"'}


@dataclass(slots=True)
class Token:
    """One word of a query.

    Attributes:
        kind: What sort of word it is.
        text: Keywords in upper case, string literals without quotes and escapes, all else as written.
        start: Offset of its first character.
        end: Offset after its last character.
    """

    kind: Kind
    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Splits a query into tokens, an `end` token last.

    Raises:
        QueryError: A character or a string literal that no query may hold.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError("Syntax error, invalid token.", start=position, end=position + 1)
        position = match.end()
        if match.lastgroup != "space":
            tokens.append(_token(match, after_dot=bool(tokens) and tokens[-1].text == "."))
    tokens.append(Token("end", "end of query", len(text), len(text)))
    return tokens


def _token(match: re.Match[str], *, after_dot: bool) -> Token:
    text, start, end = match[0], match.start(), match.end()
    match match.lastgroup:
        case "name":
            if not after_dot and text.upper() in KEYWORDS:
                return Token("keyword", text.upper(), start, end)
            return Token("name", text, start, end)
        case "string":
            return Token("string", _unescape(text[1:-1], start, end), start, end)
        case "number":
            return Token("number", text, start, end)
        case "parameter":
            return Token("parameter", text, start, end)
    return Token("operator", text, start, end)


def _unescape(text: str, start: int, end: int) -> str:
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPES:
            raise QueryError(f"Syntax error, unknown escape \\{escape} in a string.", start=start, end=end)
        return _ESCAPES[escape]

    try:
        return _ESCAPE.sub(plain, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise QueryError("Syntax error, half a surrogate pair in a string.", start=start, end=end) from error
