"""What can be wrong with a query."""

from dataclasses import dataclass


@dataclass(slots=True)
class QueryError(Exception):
    """A query that cannot be answered; the caller turns it into a 400.

    Attributes:
        message: What is wrong, for the person who wrote the query.
        code: The service's own error code where it is known.
        start: Offset of the first offending character, -1 when there is no place to point at.
        end: Offset after the last offending character.
    """

    message: str
    code: str = "SC1001"
    start: int = -1
    end: int = -1

    def __str__(self) -> str:
        return self.message


@dataclass(slots=True)
class QueryTooExpensive(Exception):
    """A query used up its share of time or memory."""

    message: str

    def __str__(self) -> str:
        return self.message
