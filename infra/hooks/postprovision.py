"""After provisioning: waits until new roles have reached the services, so that the first deployment is not refused."""

import os
import sys
import time
from collections.abc import Callable, Mapping

from infra.hooks.console import HookError, no_arguments, say
from infra.hooks.tools import remember

SETTLED = "SPILLWAY_ROLES_SETTLED_FOR"
PROPAGATION_SECONDS = 90


def main(variables: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> int:
    """Waits once for each identity; the exit code.

    Azure gives no sign when a role works everywhere. The identity's own first use shows it, and that is after
    deploying, where the hook asks the app whether it is ready.
    """
    identity = variables.get("AZURE_IDENTITY_PRINCIPAL_ID", "")
    if not identity:
        say("AZURE_IDENTITY_PRINCIPAL_ID is not set. Run azd provision.")
        return 1
    if variables.get(SETTLED) == identity:
        return 0
    say(f"Waiting {PROPAGATION_SECONDS} s for the new roles to reach storage, queues, database and models ...")
    pause(PROPAGATION_SECONDS)
    try:
        remember(SETTLED, identity)
    except HookError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main(os.environ))
