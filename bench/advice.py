"""`python -m bench.advice --url ADDRESS`: what would be saved in a running installation, as a table."""

import argparse
import os
import sys

import httpx2


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when there is a report, 2 when it could not be had."""
    parser = argparse.ArgumentParser(prog="python -m bench.advice", description=__doc__)
    parser.add_argument("--url", required=True, help="address of the installation")
    parser.add_argument("--key-variable", default="SPILLWAY_OPERATOR_KEY", help="variable with the operator's key")
    parser.add_argument("--hours", type=int, default=24, help="how far back to look (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=500, help="how many turns at most (default: %(default)s)")
    parser.add_argument("--needed-tokens", type=int, default=0, help="what an answer needs (default: learned)")
    parser.add_argument("--json", action="store_true", help="numbers instead of a table")
    options = parser.parse_args(arguments)
    try:
        print(fetched(options))
    except (ValueError, httpx2.HTTPError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def fetched(options: argparse.Namespace) -> str:
    """The report as the installation gives it.

    Raises:
        ValueError: There is no key, or the installation refused; the message says which.
    """
    key = os.environ.get(options.key_variable)
    if not key:
        raise ValueError(f"set {options.key_variable} to an operator's key")
    query = {"hours": options.hours, "turns": options.turns, "needed_tokens": options.needed_tokens}
    headers = {"x-functions-key": key, "accept": "application/json" if options.json else "text/markdown"}
    with httpx2.Client(base_url=options.url, headers=headers, timeout=60) as client:
        response = client.get("/api/latency/advice", params=query)
    if response.status_code != 200:
        raise ValueError(f"the installation answered {response.status_code}: {response.text[:300]}")
    return response.text


if __name__ == "__main__":
    sys.exit(main())
