"""What the person at the terminal reads."""

import sys


class HookError(Exception):
    """Something the person has to mend; the message says what and how."""


def say(*lines: str) -> None:
    """Writes lines at once, so that waiting is seen while it happens."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
