"""Before provisioning: the operator's key, the first month of the budget, and whether the models fit the quota."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from infra.hooks.console import HookError, no_arguments, say
from infra.hooks.operator_key import ensure_key
from infra.hooks.quota import check_quota
from infra.hooks.tools import remember


def main(variables: Mapping[str, str]) -> int:
    """Runs all steps; the exit code."""
    try:
        _check_variables(variables)
        ensure_key(variables)
        # Kept, because a budget's first month cannot be changed later.
        if not variables.get("SPILLWAY_BUDGET_START"):
            remember("SPILLWAY_BUDGET_START", datetime.now(UTC).strftime("%Y-%m-01"))
        check_quota(variables)
    except HookError as error:
        say(f"Stopped before provisioning. {error}")
        return 1
    return 0


def _check_variables(variables: Mapping[str, str]) -> None:
    """Finds what Azure would refuse late, or accept and do nothing with."""
    warned = variables.get("SPILLWAY_MONTHLY_BUDGET", "0") != "0" or variables.get("SPILLWAY_API_MANAGEMENT") == "true"
    if warned and not variables.get("SPILLWAY_ALERT_EMAIL"):
        raise HookError("A budget and API Management need an address: set SPILLWAY_ALERT_EMAIL.")
    if variables.get("SPILLWAY_ZONE_REDUNDANT") == "true":
        for name in ("SPILLWAY_ALWAYS_READY_HTTP", "SPILLWAY_ALWAYS_READY_INTERACTIVE"):
            if variables.get(name) == "1":
                raise HookError(f"With SPILLWAY_ZONE_REDUNDANT a group needs two instances or none: set {name} to 2.")
    if variables.get("SPILLWAY_AUTH") == "entra" and not variables.get("SPILLWAY_ENTRA_CLIENT_ID"):
        raise HookError(
            "SPILLWAY_AUTH is entra, so set SPILLWAY_ENTRA_CLIENT_ID to the client id of the API's registration."
        )


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main(os.environ))
