"""The Azure CLI and azd as child processes."""

import json
import shutil
import subprocess
from typing import Any

from infra.hooks.console import HookError

COMMAND_SECONDS = 120


class ToolMissing(HookError):
    """A command is not installed."""


def run(command: str, *arguments: str) -> str:
    """The output of a command.

    Raises:
        ToolMissing: It is not on the path.
        HookError: It failed or took longer than two minutes; the message has its last line.
    """
    # Found by its full path, because on Windows the command is a script with an extension.
    found = shutil.which(command)
    if found is None:
        raise ToolMissing(f"{command} is not on the path.")
    try:
        done = subprocess.run(  # noqa: S603  no shell; the arguments are ours and azd's own variables
            [found, *arguments], capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise HookError(f"{command} {arguments[0]} took longer than {COMMAND_SECONDS} s.") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise HookError(f"{command} {' '.join(arguments[:3])} failed: {reason}")
    return done.stdout


def run_json(command: str, *arguments: str) -> Any:
    """The output of a command, read as JSON.

    Raises:
        HookError: See `run`; or the output is not JSON.
    """
    output = run(command, *arguments)
    try:
        return json.loads(output)
    except ValueError as error:
        raise HookError(f"{command} {' '.join(arguments[:3])} did not answer with JSON.") from error


def remember(name: str, value: str) -> None:
    """Puts a variable into the azd environment."""
    run("azd", "env", "set", name, value)
