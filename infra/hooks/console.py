"""What the person at the terminal reads."""

import argparse
import sys


class HookError(Exception):
    """Something the person has to mend; the message says what and how."""


def no_arguments(description: str | None) -> None:
    """Says what a hook does when asked with --help; hooks take everything from the azd environment."""
    argparse.ArgumentParser(description=description, epilog="Run by azd, with its environment.").parse_args()


def say(*lines: str) -> None:
    """Writes lines at once, so that waiting is seen while it happens."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
