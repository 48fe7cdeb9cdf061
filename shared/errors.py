"""Every error a caller can meet. The docstring is the default message: what happened and what to do."""

from typing import Any, ClassVar


class SpillwayError(Exception):
    """Something went wrong inside Spillway. Try again; if it persists, look for the turn id in the logs."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(
        self, message: str | None = None, *, turn_id: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        """Builds the error.

        Args:
            message: Replaces the default message, which is the class's docstring.
            turn_id: The turn the error is about, when there is one.
            retry_after_seconds: When trying again makes sense, counted from now.
        """
        self.message = message or " ".join((self.__doc__ or "").split())
        self.turn_id = turn_id
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The error's JSON shape: code and message, plus turn_id and retry_after_ms when known."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.turn_id is not None:
            body["turn_id"] = self.turn_id
        if self.retry_after_seconds is not None:
            body["retry_after_ms"] = round(self.retry_after_seconds * 1000)
        return body


class SettingsError(SpillwayError):
    """A setting is missing or wrong. The message names it and says what it wants."""

    code = "settings_error"


class InvalidRequest(SpillwayError):
    """The request does not have the expected shape. Compare it with /api/openapi.json."""

    code = "invalid_request"
    status = 400


class RequestTooLarge(SpillwayError):
    """The request body is larger than allowed. Send a shorter message or less history."""

    code = "request_too_large"
    status = 413


class Unauthorized(SpillwayError):
    """No valid credential was given. Send the key as x-functions-key, api-key or Authorization: Bearer."""

    code = "unauthorized"
    status = 401


class Forbidden(SpillwayError):
    """This credential may not do that. Operator routes need an operator's credential."""

    code = "forbidden"
    status = 403


class TurnNotFound(SpillwayError):
    """There is no such turn. It may have been removed after its retention time."""

    code = "turn_not_found"
    status = 404


class RouteNotFound(SpillwayError):
    """There is nothing at this address. The routes are listed in /api/openapi.json."""

    code = "not_found"
    status = 404


class IdempotencyConflict(SpillwayError):
    """This Idempotency-Key was used for a different request. Use a new key for a new question."""

    code = "idempotency_conflict"
    status = 409


class CapacityExhausted(SpillwayError):
    """The answer could not be given before its deadline: all capacity is taken. Try again after Retry-After."""

    code = "capacity_exhausted"
    status = 429


class RateLimited(SpillwayError):
    """This credential asks more often than it may. Wait for Retry-After, and spread requests more evenly."""

    code = "rate_limited"
    status = 429


class Unavailable(SpillwayError):
    """A service that Spillway needs does not answer. Nothing was stored; try again after Retry-After."""

    code = "unavailable"
    status = 503


class ContentFiltered(SpillwayError):
    """The content filter of the model refused the question or its answer. Rephrase the question."""

    code = "content_filtered"
    status = 422


class QueryFailed(SpillwayError):
    """The telemetry service could not answer this query. The message says why; try a shorter time range."""

    code = "query_failed"
    status = 502


class EvaluationNotFound(SpillwayError):
    """There is no such evaluation. GET /api/evaluations lists them."""

    code = "evaluation_not_found"
    status = 404


class EvaluationClosed(SpillwayError):
    """This evaluation takes no more items, because it was completed or cancelled. Start another one."""

    code = "evaluation_closed"
    status = 409


class DeadlineExceeded(SpillwayError):
    """The turn was not answered before its deadline and ended without cost. Ask again, or allow more time."""

    code = "deadline_exceeded"
    status = 504


class ModelFailed(SpillwayError):
    """No model deployment could answer this turn. Ask again; operators find the attempts in the turn's record."""

    code = "model_failed"
    status = 502


class ModelRefused(SpillwayError):
    """The model deployment does not accept this request. The message says why; change the request."""

    code = "model_refused"
    status = 400


class Cancelled(SpillwayError):
    """The turn was cancelled before it was answered."""

    code = "cancelled"
    status = 409


ALL_ERRORS: tuple[type[SpillwayError], ...] = (
    SpillwayError,
    SettingsError,
    InvalidRequest,
    RequestTooLarge,
    Unauthorized,
    Forbidden,
    TurnNotFound,
    RouteNotFound,
    IdempotencyConflict,
    CapacityExhausted,
    RateLimited,
    Unavailable,
    ContentFiltered,
    DeadlineExceeded,
    ModelFailed,
    ModelRefused,
    Cancelled,
    EvaluationNotFound,
    EvaluationClosed,
    QueryFailed,
)
"""All errors, in the order in which the reference lists them."""


def from_dict(body: dict[str, Any]) -> SpillwayError:
    """The error that `as_dict` described; an unknown code becomes the base class."""
    kind = next((kind for kind in ALL_ERRORS if kind.code == body.get("code")), SpillwayError)
    retry_after_ms = body.get("retry_after_ms")
    return kind(
        body.get("message"),
        turn_id=body.get("turn_id"),
        retry_after_seconds=None if retry_after_ms is None else retry_after_ms / 1000,
    )
