"""$cbs: clients put tokens here before they attach to an entity (claims-based security)."""

from local.servicebus.amqp.types import Int
from local.servicebus.broker.errors import BadRequest, BrokerError, NotSupported
from local.servicebus.nodes.requests import Request, encode_reply
from local.servicebus.nodes.tokens import Authorization


def answer(authorization: Authorization, request: Request) -> bytes:
    """Handles one request and says how it went."""
    try:
        _put_token(authorization, request)
        status, description = 202, "Accepted"
    except BrokerError as error:
        status, description = error.status, error.description
    return encode_reply(request, {"status-code": Int(status), "status-description": description}, None)


def _put_token(authorization: Authorization, request: Request) -> None:
    """The type property is not looked at: the Python SDK calls a shared access signature "jwt"."""
    properties = request.properties
    operation, audience = properties.get("operation"), properties.get("name")
    if operation != "put-token":
        raise NotSupported(f"$cbs answers put-token, not {operation!r}.")
    if not isinstance(audience, str) or not isinstance(request.body, str):
        raise BadRequest("put-token needs the audience as the property 'name' and the token as its body.")
    authorization.put(request.body, audience)
