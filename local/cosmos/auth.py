"""Who may ask: the account's key signs every request; bearer tokens are an option."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from local.cosmos.errors import CosmosError
from local.cosmos.request import Request

DEFAULT_KEY: Final = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
_SKEW_SECONDS: Final = 15 * 60

CheckToken = Callable[[str, Request], None]


class Authorizer:
    """Checks the authorization header.

    Args:
        key: The account's key, base64.
        clock: Seconds since 1970.
        check_token: Checks a bearer token, or None when only the key is accepted.

    Raises:
        ValueError: The key is not base64.
    """

    def __init__(self, key: str, clock: Callable[[], float], check_token: CheckToken | None = None) -> None:
        try:
            self._key = base64.b64decode(key, validate=True)
        except binascii.Error as error:
            raise ValueError("The account key is not base64.") from error
        self._clock = clock
        self._check_token = check_token

    def check(self, request: Request) -> None:
        """Lets a request pass.

        Raises:
            CosmosError: 401 for a missing or wrong authorization, 403 for a date that is too far off.
        """
        header = request.headers.get("authorization")
        if header is None:
            raise CosmosError(401, "The request has no authorization header.")
        parts = _parse(header)
        match parts.get("type"):
            case "master":
                self._check_signature(request, parts.get("sig", ""))
            case "aad":
                if self._check_token is None:
                    raise CosmosError(401, "Bearer tokens are refused; start the server with --accept-tokens.")
                self._check_token(parts.get("sig", ""), request)
            case "resource":
                raise CosmosError(401, "Resource tokens are not covered by this server; see COVERAGE.md.")
            case _:
                raise CosmosError(401, "The authorization header is not 'type=master&ver=1.0&sig=..', URL-encoded.")

    def _check_signature(self, request: Request, signature: str) -> None:
        date = request.headers.get("x-ms-date") or request.headers.get("date", "")
        kind, link = signed_resource(request.segments)
        # A client that addresses a resource by its resource id signs that id alone, in lower case.
        links = dict.fromkeys((link, link.rsplit("/", 1)[-1].lower()))
        texts = [f"{request.method.lower()}\n{kind.lower()}\n{signed}\n{date.lower()}\n\n" for signed in links]
        if not any(hmac.compare_digest(self._sign(text), signature.encode()) for text in texts):
            reason = "the key is another one, or something else was signed"
            raise CosmosError(401, f"The authorization does not fit: {reason}. This server signs {texts[0]!r}.")
        moment = _seconds_of(date)
        if moment is None or abs(moment - self._clock()) > _SKEW_SECONDS:
            raise CosmosError(403, "The authorization is not valid at this time: check x-ms-date and the clock.")

    def _sign(self, text: str) -> bytes:
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256))


def signed_resource(segments: list[str]) -> tuple[str, str]:
    """The resource type and the resource link that a signature is over."""
    if segments[4:] == ["operations", "partitionkeydelete"]:
        return "colls", "/".join(segments[:4])
    if not segments:
        return "", ""
    if len(segments) % 2:
        return segments[-1], "/".join(segments[:-1])
    return segments[-2], "/".join(segments)


@lru_cache(maxsize=256)
def _seconds_of(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _parse(header: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in unquote(header).split("&") if "=" in part)
