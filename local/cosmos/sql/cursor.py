"""A place in a list of tokens."""

from typing import NoReturn

from local.cosmos.sql.errors import QueryError
from local.cosmos.sql.tokens import Token, tokenize

NESTING_LIMIT = 64


class Cursor:
    """Walks over the tokens of one query; the parsers build on it."""

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._place = 0
        self._nesting = 0

    @property
    def token(self) -> Token:
        """The token not yet taken."""
        return self._tokens[self._place]

    def take(self) -> Token:
        """Steps over a token and returns it."""
        token = self._tokens[self._place]
        if token.kind != "end":
            self._place += 1
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these keywords or operators."""
        token = self._tokens[self._place]
        return token.text in texts and token.kind in {"keyword", "operator"}

    def after_next(self, *texts: str) -> bool:
        """Whether the token after the next is one of these keywords or operators."""
        token = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        return token.text in texts and token.kind in {"keyword", "operator"}

    def accept(self, *texts: str) -> Token | None:
        """Takes the next token if it is one of these keywords or operators."""
        return self.take() if self.at(*texts) else None

    def expect(self, text: str) -> Token:
        """Takes the given keyword or operator.

        Raises:
            QueryError: Something else stands there.
        """
        if not self.at(text):
            self.fail(f"expected {text}")
        return self.take()

    def expect_name(self) -> Token:
        """Takes a name that is not a keyword.

        Raises:
            QueryError: Something else stands there.
        """
        if self.token.kind != "name":
            self.fail("expected a name")
        return self.take()

    def fail(self, hint: str) -> NoReturn:
        """Refuses the query at the next token.

        Raises:
            QueryError: Always.
        """
        token = self.token
        raise QueryError(
            f"Syntax error, incorrect syntax near '{token.text}': {hint}.", start=token.start, end=token.end
        )

    def enter(self) -> None:
        """Goes one level down.

        Raises:
            QueryError: The query is nested deeper than the server follows.
        """
        self._nesting += 1
        if self._nesting > NESTING_LIMIT:
            raise QueryError(f"The query is nested deeper than {NESTING_LIMIT} levels.", start=self.token.start)

    def leave(self) -> None:
        """Comes back up."""
        self._nesting -= 1
