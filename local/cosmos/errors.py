"""What goes wrong, as the protocol says it: a status, a substatus and one message."""

from dataclasses import dataclass, field
from typing import Final

CODES: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    409: "Conflict",
    410: "Gone",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    424: "FailedDependency",
    429: "TooManyRequests",
    449: "RetryWith",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}

PARTITION_KEY_MISMATCH: Final = 1001
RANGE_GONE: Final = 1002
OWNER_NOT_FOUND: Final = 1003
NEEDS_A_PLAN: Final = 1004
STALE_CONTAINER: Final = 1024
CONDITION_NOT_MET: Final = 1110
TOO_MANY_REQUESTS: Final = 3200


@dataclass(slots=True)
class CosmosError(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        message: What is wrong and, where it helps, what to do.
        substatus: The protocol's finer reason, 0 when there is none.
        headers: Further reply headers.
        additional_info: What else the reply's body says under `additionalErrorInfo`.
    """

    status: int
    message: str
    substatus: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    additional_info: str | None = None

    def __str__(self) -> str:
        return self.message

    @property
    def code(self) -> str:
        """The word that goes with the status."""
        return CODES.get(self.status, "Error")


def bad_request(message: str, substatus: int = 0) -> CosmosError:
    """400: the request itself is wrong."""
    return CosmosError(400, message, substatus)


def not_covered(what: str) -> CosmosError:
    """400: the service may know it, this server does not."""
    return CosmosError(400, f"{what} is not covered by this server; see COVERAGE.md.")


def item_not_found() -> CosmosError:
    """404: the container is there, the item is not."""
    return CosmosError(404, "Entity with the specified id does not exist in the system.")


def missing(kind: str, name: str) -> CosmosError:
    """404: a database, container or offer that was itself asked for."""
    return CosmosError(404, f"The {kind} {name!r} does not exist.")


def owner_not_found(what: str) -> CosmosError:
    """404 with the substatus for a missing database or container above the resource asked for."""
    return CosmosError(404, f"{what} does not exist.", OWNER_NOT_FOUND)


def conflict(message: str) -> CosmosError:
    """409: the id or a unique key is taken."""
    return CosmosError(409, message)


def precondition_failed() -> CosmosError:
    """412: the entity tag is another one."""
    return CosmosError(412, "The entity tag of the item does not meet the request's condition.")
