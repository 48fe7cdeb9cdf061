"""`python -m bench.soak`: hours of traffic and faults on local Azure, then the referee; 1 when a rule was broken."""

import argparse
from pathlib import Path

from bench.machine import RESULTS, write
from bench.soak import picture, report
from bench.soak.run import SoakFailed, run

MOST_MINUTES = 24 * 60.0


def main() -> int:
    """The command line; the exit code."""
    arguments = _arguments()
    keep = None if arguments.keep is None else arguments.keep.resolve()
    try:
        result = run(
            seconds=60 * arguments.minutes,
            seed=arguments.seed,
            rate_per_minute=arguments.rate,
            fault_seconds=arguments.fault_seconds,
            keep=keep,
        )
    except SoakFailed as error:
        raise SystemExit(str(error)) from error
    result["remark"] = arguments.remark
    print(report.text(result), flush=True)
    if arguments.results is not None:
        write("soak", result, arguments.results)
        (arguments.results / "soak.md").write_text(report.text(result), encoding="utf-8")
        picture.draw(arguments.results / "soak.svg", result)
    return 0 if result["passed"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long callers ask (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=7, help="of traffic and faults (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=80.0, help="turns a minute (default: %(default)g)")
    parser.add_argument(
        "--fault-seconds", type=float, default=15.0, help="one fault in so many seconds (default: %(default)g)"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the logs of all processes here")
    parser.add_argument(
        "--results", type=Path, metavar="DIR", default=RESULTS, help="where results go (default: bench/results)"
    )
    parser.add_argument("--remark", default="", help="what else should be known of this run, for the report")
    arguments = parser.parse_args()
    if not 1 <= arguments.minutes <= MOST_MINUTES:
        parser.error(f"--minutes is from 1 to {MOST_MINUTES:g}")
    return arguments


if __name__ == "__main__":
    raise SystemExit(main())
