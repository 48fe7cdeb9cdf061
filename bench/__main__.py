"""`python -m bench`: all measurements of one sitting, or those named."""

import argparse
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import broker, cost, evaluations, overhead, regression, store, surge

RUNS: dict[str, Callable[[], dict[str, Any]]] = {
    "overhead": overhead.run,
    "broker": broker.run,
    "store": store.run,
    "cost": cost.run,
    "surge": surge.run,
    "regression": regression.run,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*RUNS, "evaluations", []], default=[], help="what to measure (default: all)"
    )
    parser.add_argument("--items", type=int, default=evaluations.ITEMS, help="of evaluations (default: %(default)s)")
    given = parser.parse_args()
    runs = {**RUNS, "evaluations": partial(evaluations.run, given.items)}
    for name in given.names or runs:
        print(f"measuring {name} ...", flush=True)
        result = runs[name]()
        print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1), flush=True)


if __name__ == "__main__":
    main()
