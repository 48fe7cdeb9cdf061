"""`python -m infra.operate --url ADDRESS COMMAND`: what operators do by hand, over the app's own routes.

The operator's key is read from SPILLWAY_OPERATOR_KEY.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

KEY_VARIABLE = "SPILLWAY_OPERATOR_KEY"
LANE = "such as interactive"
TIMEOUT_SECONDS = 60.0


class Failed(Exception):
    """The installation could not be asked, or refused; the message says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when it was done, 2 when not."""
    options = _parser().parse_args(arguments)
    try:
        sys.stdout.write(json.dumps(carried_out(options), indent=2, ensure_ascii=False) + "\n")
    except Failed as failure:
        sys.stderr.write(f"error: {failure}\n")
        return 2
    return 0


def carried_out(options: argparse.Namespace) -> Any:
    """What the installation answers to a command.

    Raises:
        Failed: It could not be asked, or refused.
    """
    match options.command:
        case "show":
            return _ask(options, "GET", "/api/operations")
        case "pause" | "resume":
            return _ask(
                options, "POST", f"/api/operations/lanes/{options.lane}", {"paused": options.command == "pause"}
            )
        case "drain" | "undrain":
            name = urllib.parse.quote(options.deployment, safe="")
            return _ask(
                options, "POST", f"/api/operations/deployments/{name}", {"draining": options.command == "drain"}
            )
        case "dead-letters":
            query = urllib.parse.urlencode({"lane": options.lane, "limit": options.limit, "after": options.after})
            return _ask(options, "GET", f"/api/dead-letters?{query}")
    body = {"lane": options.lane}
    chosen = {"sequence_numbers": options.number, "reason": options.reason}
    return _ask(options, "POST", "/api/dead-letters/replay", body | {k: v for k, v in chosen.items() if v})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.operate", description=__doc__)
    parser.add_argument("--url", required=True, help="address of the installation")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("show", help="lanes and deployments")
    for name, says in (("pause", "let the turns of a lane wait"), ("resume", "let them go on")):
        commands.add_parser(name, help=says).add_argument("lane", help=LANE)
    for name, says in (("drain", "give a deployment no new calls"), ("undrain", "take it back")):
        commands.add_parser(name, help=says).add_argument("deployment")
    letters = commands.add_parser("dead-letters", help="what could not be answered")
    letters.add_argument("lane", help=LANE)
    letters.add_argument("--limit", type=int, default=100, help="how many at most (default: %(default)s)")
    letters.add_argument("--after", type=int, default=0, help="only those with a higher sequence number")
    replay = commands.add_parser("replay", help="answer dead letters as new turns: all of a lane, or those chosen")
    replay.add_argument("lane", help=LANE)
    replay.add_argument("--number", type=int, action="append", help="sequence number; may be given again")
    replay.add_argument("--reason", help="only those of this reason")
    return parser


def _ask(options: argparse.Namespace, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise Failed(f"set {KEY_VARIABLE} to an operator's key")
    if not options.url.startswith(("http://", "https://")):
        raise Failed("the address must start with https:// or http://")
    request = urllib.request.Request(  # noqa: S310  the scheme was looked at
        options.url.rstrip("/") + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"x-functions-key": key, "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise Failed(f"the installation answered {error.code}: {error.read(500).decode(errors='replace')}") from error
    except (OSError, ValueError) as error:
        raise Failed(f"the installation cannot be reached at {options.url}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
