"""Who is asking: the tenant comes from the credential and from nowhere else."""

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Forbidden, RateLimited, Unauthorized
from shared.policies.bucket import Bucket
from shared.settings import Settings

OPERATOR_ROLE = "Spillway.Operator"
MOST_CALLERS = 10_000
"""Callers whose requests are counted at the same time; beyond that, those who have been quiet longest start afresh."""
MOST_IDENTITY_CHARACTERS = 65_536
CALLER_CLAIMS = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid", "azp", "appid", "sub")
TENANT_CLAIMS = ("extension_tenant", "http://schemas.microsoft.com/identity/claims/tenantid", "tid")


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: whose data it may see and whether it may operate the installation.

    Attributes:
        caller: Tells credentials of one tenant apart, for counting requests; never the credential itself.
    """

    tenant: str
    operator: bool = False
    caller: str = field(default="", compare=False)


class Door:
    """Lets callers in by key, or by the identity that the platform's authentication has verified."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Takes the keys' hashes, the keys themselves are never stored; and a clock in seconds."""
        self._auth = settings.auth
        self._keys = {
            bytes.fromhex(key.sha256): Principal(key.tenant, key.operator, key.sha256[:16]) for key in settings.api_keys
        }
        self._per_minute = settings.requests_per_minute
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def enter(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Principal:
        """The caller behind a request.

        Args:
            headers: Request headers, names in lower case or a case-insensitive mapping.
            query: Query parameters; `code` may carry the key, as on other function apps.

        Raises:
            Unauthorized: No credential, or none that is known.
            RateLimited: More requests than this caller may send to one instance.
        """
        principal = self._known(headers, query)
        self._count(principal)
        return principal

    def _known(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Principal:
        if self._auth == "entra":
            return _entra(headers)
        key = _key(headers) or query.get("code")
        if not key:
            raise Unauthorized
        # Looking up a hash takes the same time whichever part of the key is wrong.
        principal = self._keys.get(hashlib.sha256(key.encode()).digest())
        if principal is None:
            raise Unauthorized("This key is not known. Check that it is complete and has not been replaced.")
        return principal

    def _count(self, principal: Principal) -> None:
        if not self._per_minute:
            return
        now, caller = self._clock(), (principal.tenant, principal.caller)
        before = self._buckets.pop(caller, Bucket(self._per_minute, now))
        # Popped and put back, so that the first ones are those that have been quiet longest.
        self._buckets[caller], wait = before.take(now, per_minute=self._per_minute, most=self._per_minute)
        if len(self._buckets) > MOST_CALLERS:
            del self._buckets[next(iter(self._buckets))]
        if wait:
            raise RateLimited(retry_after_seconds=wait)

    def enter_operator(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Principal:
        """The operator behind a request.

        Raises:
            Unauthorized: No credential, or none that is known.
            RateLimited: More requests than this caller may send to one instance.
            Forbidden: A caller without the operator role.
        """
        principal = self.enter(headers, query)
        if not principal.operator:
            raise Forbidden
        return principal


def _key(headers: Mapping[str, str]) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return headers.get("x-functions-key") or headers.get("api-key") or bearer


def _entra(headers: Mapping[str, str]) -> Principal:
    """The identity in the header that App Service authentication sets; it removes what callers put there.

    Source: learn.microsoft.com, "Work with user identities in Azure App Service authentication".
    """
    encoded = headers.get("x-ms-client-principal")
    if not encoded or len(encoded) > MOST_IDENTITY_CHARACTERS:
        raise Unauthorized("Sign in with Microsoft Entra ID and send the access token.")
    try:
        principal: dict[str, Any] = json.loads(base64.b64decode(encoded, validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in principal["claims"]]
        role_type = str(principal.get("role_typ"))
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unauthorized("The identity header cannot be read.") from error
    tenant = _first(claims, TENANT_CLAIMS)
    if tenant is None:
        raise Unauthorized("The access token names no tenant.")
    roles = {value for kind, value in claims if kind in {"roles", role_type}}
    return Principal(tenant, operator=OPERATOR_ROLE in roles, caller=_first(claims, CALLER_CLAIMS) or "")


def _first(claims: list[tuple[str, str]], names: tuple[str, ...]) -> str | None:
    return next((value for name in names for kind, value in claims if kind == name and value), None)
