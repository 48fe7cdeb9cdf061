"""Who may call: the key in either header, or a bearer token with the shape of a JWT."""

import base64
import binascii
import hmac
import json

from local.openai.errors import bad_key, bad_token


def authorise(headers: dict[bytes, bytes], key: bytes) -> None:
    """Lets a call through or refuses it.

    Raises:
        ServiceError: 401.
    """
    given = headers.get(b"api-key")
    if given is not None:
        if hmac.compare_digest(given, key):
            return
        raise bad_key()
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"bearer":
        raise bad_key()
    if not hmac.compare_digest(token.strip(), key) and not _is_jwt(token.strip()):
        raise bad_token()


def _is_jwt(token: bytes) -> bool:
    """Whether there are three parts of which the first is a JSON header that names its algorithm."""
    parts = token.split(b".")
    if len(parts) != 3 or not parts[1] or len(token) > 16_384:
        return False
    try:
        header = json.loads(base64.urlsafe_b64decode(parts[0] + b"=" * (-len(parts[0]) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(header, dict) and "alg" in header
