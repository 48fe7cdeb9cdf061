"""`python -m bench`: all measurements of one sitting, or those named."""

import argparse
import json

from bench import broker, cost, overhead, store, surge, timeline

RUNS = {
    "overhead": overhead.run,
    "broker": broker.run,
    "store": store.run,
    "cost": cost.run,
    "surge": surge.run,
    "timeline": timeline.run,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*RUNS, []], default=[], help="what to measure (default: all)")
    for name in parser.parse_args().names or RUNS:
        print(f"measuring {name} ...", flush=True)
        result = RUNS[name]()
        print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1), flush=True)


if __name__ == "__main__":
    main()
