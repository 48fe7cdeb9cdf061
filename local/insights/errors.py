"""Every refusal this service answers with. The docstring of a class says what to do about it."""

from typing import Any

from starlette.responses import JSONResponse


class IntakeError(Exception):
    """Telemetry was refused as a whole; the message says why.

    Attributes:
        status: HTTP status of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class EnvelopeError(ValueError):
    """One envelope of a request was refused; the others are kept. Correct the field that the message names."""


class QueryError(Exception):
    """A query was refused or failed; answered in the query API's error shape.

    Attributes:
        status: HTTP status of the answer.
        code: The outer error code.
        inner_code: The inner error code, which tells kinds of bad queries apart.
    """

    status = 400
    code = "BadArgumentError"
    inner_code = "BadArgumentError"
    summary = "The request is not valid"

    def body(self) -> dict[str, Any]:
        """The error object of the answer."""
        inner = {"code": self.inner_code, "message": str(self)}
        return {"code": self.code, "message": self.summary, "innererror": inner}


class InvalidRequestError(QueryError):
    """The request body, the time span or a header is not valid. Correct what the message names."""


class QuerySyntaxError(QueryError):
    """The query does not parse. The message has line and position."""

    inner_code = "SyntaxError"


class SemanticError(QueryError):
    """The query names a table, column or function that does not exist, or combines types that do not fit."""

    inner_code = "SemanticError"


class NotCoveredError(QueryError):
    """The query is valid KQL but uses something this service does not run. The message names it."""

    inner_code = "NotCoveredLocally"


class QueryLimitError(QueryError):
    """The query needs more memory than the service may use. Narrow the time range or aggregate earlier."""

    inner_code = "ResourceLimit"
    summary = "The query exceeded a limit of the service"


class QueryTimeoutError(QueryError):
    """The query ran longer than `--query-seconds`. Narrow the time range or aggregate earlier."""

    status = 504
    code = "GatewayTimeout"
    inner_code = "QueryTimeout"
    summary = "The query took too long"


class BusyError(QueryError):
    """Too many queries are waiting. Send it again after the seconds that Retry-After says."""

    status = 429
    code = "ThrottledError"
    inner_code = "TooManyQueries"
    summary = "Too many queries at the same time"


def query_error_response(error: QueryError) -> JSONResponse:
    """The answer to a refused or failed query."""
    headers = {"retry-after": "1"} if error.status == 429 else None
    return JSONResponse({"error": error.body()}, error.status, headers)


def intake_error_response(error: IntakeError) -> JSONResponse:
    """The answer to telemetry that was refused as a whole, in the ingestion API's shape."""
    refused = {"index": 0, "statusCode": error.status, "message": str(error)}
    headers = {"retry-after": "1"} if error.status in {429, 503} else None
    return JSONResponse({"itemsReceived": 0, "itemsAccepted": 0, "errors": [refused]}, error.status, headers)
