"""`python -m bench`: the measurements of one sitting, or those named; those of evaluation take longer and are named."""

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
}
LONG = ("regression", "evaluations")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--items", type=int, default=evaluations.ITEMS, help="of evaluations (default: %(default)s)")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"of {', '.join(RUNS)} (default: all), {', '.join(LONG)}"
    )
    given = parser.parse_args()
    runs = {**RUNS, "regression": regression.run, "evaluations": partial(evaluations.run, given.items)}
    if unknown := sorted(set(given.names) - set(runs)):
        parser.error(f"there is no {', '.join(unknown)}; choose of {', '.join(runs)}")
    for name in given.names or RUNS:
        print(f"measuring {name} ...", flush=True)
        result = runs[name]()
        print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1), flush=True)


if __name__ == "__main__":
    main()
