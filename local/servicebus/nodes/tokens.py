"""Shared access signatures: who may use which entity, and for how long."""

import base64
import hmac
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import unquote_plus

from local.servicebus.broker.errors import QuotaExceeded, Unauthorized
from local.servicebus.nodes.addresses import entity_path

MAX_AUDIENCES = 10_000
_PREFIX = "SharedAccessSignature "


def verify(token: str, key: str, now: float) -> tuple[str, float]:
    """Checks a shared access signature.

    The signed text is the resource as it stands in the token (still URL-encoded), a line feed, and the expiry;
    so the host in it may be any.

    Args:
        token: `SharedAccessSignature sr=...&sig=...&se=...&skn=...`.
        key: The shared access key.
        now: Seconds since the epoch.

    Returns:
        Path of the resource it is for, and its expiry in seconds since the epoch.

    Raises:
        Unauthorized: It is malformed, has expired, or was signed with another key.
    """
    if not token.startswith(_PREFIX):
        raise Unauthorized("Only shared access signatures are accepted here; connect with a connection string.")
    fields = dict(part.partition("=")[::2] for part in token.removeprefix(_PREFIX).split("&"))
    resource, expiry, signature = fields.get("sr", ""), fields.get("se", ""), unquote_plus(fields.get("sig", ""))
    if not resource or not signature or not expiry.isascii() or not expiry.isdigit() or len(expiry) > 15:
        raise Unauthorized("The shared access signature lacks sr, sig or se.")
    digest = hmac.new(key.encode(), f"{resource}\n{expiry}".encode(), sha256).digest()
    if not hmac.compare_digest(base64.b64encode(digest), signature.encode()):
        raise Unauthorized("Attempted to perform an unauthorized operation: the signature is not valid for the key.")
    if int(expiry) <= now:
        raise Unauthorized("The token has expired.")
    return entity_path(unquote_plus(resource)), float(expiry)


class Authorization:
    """What one connection may use: paths, each with everything below it, until their tokens expire."""

    def __init__(self, key: str, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        self._expiries: dict[str, float] = {}

    def put(self, token: str, audience: str) -> None:
        """Accepts a token for an audience.

        Raises:
            Unauthorized: The token is not valid, or not for this audience.
            QuotaExceeded: The connection has too many tokens.
        """
        now = self._clock()
        resource, expiry = verify(token, self._key, now)
        path = entity_path(audience)
        if not _covers(resource, path):
            raise Unauthorized(f"The token is for '{resource}', not for '{path}'.")
        self._expiries = {known: until for known, until in self._expiries.items() if until > now}
        if len(self._expiries) >= MAX_AUDIENCES:
            raise QuotaExceeded(f"A connection has at most {MAX_AUDIENCES} tokens.")
        self._expiries[path] = expiry

    def require(self, entity: str) -> None:
        """Checks that a token covers the entity now.

        Raises:
            Unauthorized: None does.
        """
        now = self._clock()
        if not any(until > now and _covers(path, entity) for path, until in self._expiries.items()):
            raise Unauthorized(f"Unauthorized access. 'Listen' or 'Send' claim(s) are required for '{entity}'.")


def _covers(path: str, entity: str) -> bool:
    return not path or entity == path or entity.startswith(path + "/")
