"""Who is asking: the tenant comes from the credential and from nowhere else."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Forbidden, Unauthorized
from shared.settings import Settings

OPERATOR_ROLE = "Spillway.Operator"
TENANT_CLAIMS = ("extension_tenant", "http://schemas.microsoft.com/identity/claims/tenantid", "tid")


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: whose data it may see and whether it may operate the installation."""

    tenant: str
    operator: bool = False


class Door:
    """Lets callers in by key, or by the identity that the platform's authentication has verified."""

    def __init__(self, settings: Settings) -> None:
        """Takes the keys' hashes; the keys themselves are never stored."""
        self._auth = settings.auth
        self._keys = {bytes.fromhex(key.sha256): Principal(key.tenant, key.operator) for key in settings.api_keys}

    def enter(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Principal:
        """The caller behind a request.

        Args:
            headers: Request headers, names in lower case or a case-insensitive mapping.
            query: Query parameters; `code` may carry the key, as on other function apps.

        Raises:
            Unauthorized: No credential, or none that is known.
        """
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

    def enter_operator(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Principal:
        """The operator behind a request.

        Raises:
            Unauthorized: No credential, or none that is known.
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
    if not encoded:
        raise Unauthorized("Sign in with Microsoft Entra ID and send the access token.")
    try:
        principal: dict[str, Any] = json.loads(base64.b64decode(encoded, validate=True))
        claims = [(claim["typ"], claim["val"]) for claim in principal["claims"]]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise Unauthorized("The identity header cannot be read.") from error
    tenant = next((value for name in TENANT_CLAIMS for kind, value in claims if kind == name and value), None)
    if tenant is None:
        raise Unauthorized("The access token names no tenant.")
    roles = {value for kind, value in claims if kind in {"roles", principal.get("role_typ")}}
    return Principal(tenant, operator=OPERATOR_ROLE in roles)
