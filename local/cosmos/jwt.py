"""Bearer tokens of Microsoft Entra ID, as far as they can be checked here: all but the signature."""

import base64
import binascii
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from local.cosmos.errors import CosmosError
from local.cosmos.request import Request

SERVICE_AUDIENCE: Final = "https://cosmos.azure.com"


def token_check(clock: Callable[[], float] = time.time) -> Callable[[str, Request], None]:
    """A check for tokens: three parts, signed by something, in their time, meant for this account or the service."""

    def check(token: str, request: Request) -> None:
        parts = token.split(".")
        if len(parts) != 3 or not parts[2]:
            raise _refused("it is not three parts with dots between them")
        header, claims = _decode(parts[0]), _decode(parts[1])
        if str(header.get("alg", "none")).lower() == "none":
            raise _refused("its header names no signature algorithm")
        _check_time(claims, clock())
        host = urlsplit(request.base_url).hostname
        audience = str(claims.get("aud", "")).rstrip("/")
        if audience not in {SERVICE_AUDIENCE, f"https://{host}", request.base_url.rstrip("/")}:
            raise _refused(f"its audience is {audience!r}, not this account or {SERVICE_AUDIENCE}")

    return check


def _check_time(claims: dict[str, Any], now: float) -> None:
    expires, starts = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or expires <= now:
        raise _refused("it has expired, or does not say when it does")
    if not isinstance(starts, int | float) or starts > now + 300:
        raise _refused("it is not valid yet")


def _decode(part: str) -> dict[str, Any]:
    try:
        decoded = orjson.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _refused("a part of it is not base64url-encoded JSON") from error
    if not isinstance(decoded, dict):
        raise _refused("a part of it is no JSON object")
    return decoded


def _refused(reason: str) -> CosmosError:
    return CosmosError(401, f"The bearer token is refused: {reason}.")
