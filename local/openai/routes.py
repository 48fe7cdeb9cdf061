"""The whole wire surface: which path means which operation, in which account, on which deployment."""

import re
from dataclasses import dataclass

from local.openai.errors import OTHER_OPERATIONS, no_such_route, operation_not_covered

_API_VERSION = re.compile(rb"(?:^|&)api-version=(\d{4}-\d{2}-\d{2}(?:-preview)?|preview|v1|latest)(?:&|$)")
_PATH = re.compile(
    r"(?:/(?P<account>[A-Za-z0-9._-]+))?/openai/"
    r"(?:v1|deployments/(?P<deployment>[^/]+))/(?P<operation>.+?)/?"
)
_CALLS = {"chat/completions": "chat", "embeddings": "embeddings"}
OPERATION_NAMES = {"chat": "ChatCompletions_Create", "embeddings": "Embeddings_Create"}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes.

    Attributes:
        operation: `chat`, `embeddings` or `models`.
        account: From the path, None on the bare path.
        deployment: From the path, None on the v1 path, where the body names it.
        model: The model asked for below `models/`, None for the list.
        api_version: As the caller gave it, `v1` on the v1 path without one.
    """

    operation: str
    account: str | None
    deployment: str | None
    model: str | None
    api_version: str


def find(path: str, query: bytes) -> Route:
    """Finds the route of a path.

    Raises:
        ServiceError: 404, there is none, the operation is not covered, or the api-version is missing or malformed.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise no_such_route()
    operation, deployment = match["operation"], match["deployment"]
    version = _API_VERSION.search(query)
    if deployment is not None and (version is None or not version[1][:1].isdigit()):
        raise no_such_route()
    api_version = version[1].decode() if version else "v1"
    if call := _CALLS.get(operation):
        return Route(call, match["account"], deployment, None, api_version)
    name, _, model = operation.partition("/")
    if name == "models" and deployment is None:
        return Route("models", match["account"], None, model or None, api_version)
    if name in OTHER_OPERATIONS:
        raise operation_not_covered(name)
    raise no_such_route()
