"""The operator's API key: made once, kept in the azd environment; Azure gets its SHA-256 only."""

import hashlib
import secrets
from collections.abc import Mapping

from infra.hooks.console import HookError, say
from infra.hooks.tools import remember

KEY, KEY_HASH = "SPILLWAY_OPERATOR_KEY", "SPILLWAY_OPERATOR_KEY_SHA256"
KEY_BYTES = 32


def ensure_key(variables: Mapping[str, str]) -> None:
    """Sees to it that the environment has a key and its hash.

    Raises:
        HookError: There is no key on a build machine, where a new one would be lost with the machine.
    """
    key = variables.get(KEY)
    if not key:
        if variables.get("CI"):
            raise HookError(f"Set the secret {KEY}: a key made here would be lost, and callers would be locked out.")
        key = secrets.token_urlsafe(KEY_BYTES)
        remember(KEY, key)
        say(
            f"Made the operator's API key: {key}",
            f"It is shown this once. Later: azd env get-value {KEY}. To replace it, set another and provision again.",
        )
    wanted = hashlib.sha256(key.encode()).hexdigest()
    if variables.get(KEY_HASH) != wanted:
        remember(KEY_HASH, wanted)
