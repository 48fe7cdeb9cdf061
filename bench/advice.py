"""`python -m bench.advice`: what would be saved, as a table: of a running installation, or of recorded turns."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx2

from shared.advisor.advise import advise
from shared.advisor.finding import Needs
from shared.advisor.journeys import journeys
from shared.advisor.report import markdown


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when there is a report, 2 when it could not be made."""
    parser = argparse.ArgumentParser(prog="python -m bench.advice", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--url", help="address of an installation, such as https://APP.azurewebsites.net")
    source.add_argument("--file", type=Path, help="JSON list of turns with their timelines")
    parser.add_argument("--key-variable", default="SPILLWAY_OPERATOR_KEY", help="variable with the operator's key")
    parser.add_argument("--hours", type=int, default=24, help="how far back to look (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=500, help="how many turns at most (default: %(default)s)")
    parser.add_argument("--needed-tokens", type=int, default=0, help="what an answer needs (default: learned)")
    parser.add_argument("--json", action="store_true", help="numbers instead of a table")
    options = parser.parse_args(arguments)
    try:
        report = _remote(options) if options.url else _local(options)
    except (OSError, ValueError, httpx2.HTTPError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=1) if options.json else markdown(report))
    return 0


def _local(options: argparse.Namespace) -> dict[str, Any]:
    records = json.loads(options.file.read_text(encoding="utf-8"))
    return advise(journeys(records), Needs(output_tokens=options.needed_tokens or None))


def _remote(options: argparse.Namespace) -> dict[str, Any]:
    key = os.environ.get(options.key_variable)
    if not key:
        raise ValueError(f"set {options.key_variable} to an operator's key")
    query = {"hours": options.hours, "turns": options.turns, "needed_tokens": options.needed_tokens}
    with httpx2.Client(base_url=options.url, headers={"x-functions-key": key}, timeout=60) as client:
        response = client.get("/api/latency/advice", params=query)
    if response.status_code != 200:
        raise ValueError(f"the installation answered {response.status_code}: {response.text[:300]}")
    report: dict[str, Any] = response.json()
    return report


if __name__ == "__main__":
    sys.exit(main())
