"""`python -m bench`: parts; `run SCENARIO`: the load lab; `console`: is it right?; `simulate`: the fleet."""

import argparse
import json
from pathlib import Path

from bench import (
    advisor,
    broker,
    caching,
    cold,
    console,
    context,
    cost,
    evaluations,
    first,
    overhead,
    proxy,
    regression,
    store,
    streams,
    telemetry,
    timeline,
    workbook,
)
from bench.console.page import ConsoleError
from bench.lab import picture, report, scenario
from bench.lab.program import ARMS, ArmFailed
from bench.lab.run import run
from bench.lab.scenario import ScenarioError
from bench.machine import RESULTS, write
from bench.simulation import command as simulation

RUNS = {
    "overhead": overhead.run,
    "broker": broker.run,
    "store": store.run,
    "cost": cost.run,
    "streams": streams.run,
    "cold": cold.run,
    "first": first.run,
    "context": context.run,
    "proxy": proxy.run,
    "timeline": timeline.run,
    "telemetry": telemetry.run,
    "advisor": advisor.run,
    "regression": regression.run,
    "cache": caching.run,
    "evaluations": evaluations.run,
    "workbook": workbook.run,
}
APART = frozenset({"proxy", "advisor", "regression", "evaluations", "workbook", "cache"})
"""Only when named: they take long, or need an environment of their own, see `make bench-proxy`."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    parts = commands.add_parser("parts", help="measure broker, store, cost and the time the app adds (the default)")
    parts.add_argument("names", nargs="*", choices=[*RUNS, []], default=[], help="what to measure (default: all)")
    lab = commands.add_parser("run", help="run scenarios of the load lab")
    lab.add_argument("names", nargs="+", metavar="SCENARIO", help=f"one of {', '.join(scenario.names())}")
    lab.add_argument("--arm", action="append", choices=ARMS, help="arms to run (default: spillway); repeatable")
    lab.add_argument("--scale", type=float, default=1.0, help="shorten all load, for a quick look (default: 1)")
    lab.add_argument("--keep", type=Path, metavar="DIR", help="keep schedule, records and logs here")
    lab.add_argument(
        "--results", type=Path, metavar="DIR", help="where results go (default: bench/results, nowhere when scaled)"
    )
    shown = commands.add_parser("console", help="does the console show what happened in a scenario?")
    shown.add_argument("scenario", nargs="?", default="surge", help="of the load lab (default: surge)")
    shown.add_argument("--scale", type=float, default=1.0, help="as above")
    shown.add_argument("--keep", type=Path, metavar="DIR", help="as above")
    shown.add_argument("--results", type=Path, metavar="DIR", help="where result and pictures go")
    simulation.add(commands)
    arguments = parser.parse_args()
    if arguments.command == "simulate":
        simulation.run(arguments)
        return
    if arguments.command in {"run", "console"}:
        try:
            raise SystemExit(_lab(arguments) if arguments.command == "run" else _console(arguments))
        except (ArmFailed, ConsoleError, ScenarioError) as error:
            raise SystemExit(str(error)) from error
    measure(getattr(arguments, "names", []) or [name for name in RUNS if name not in APART])


def _console(arguments: argparse.Namespace) -> int:
    """1 when the console shows something else than what happened."""
    keep = None if arguments.keep is None else arguments.keep.resolve()
    results = None if arguments.results is None else arguments.results.resolve()
    return 0 if console.run(arguments.scenario, scale=arguments.scale, keep=keep, results=results) else 1


def measure(names: list[str]) -> None:
    """Measures parts and writes their results."""
    for name in names:
        print(f"measuring {name} ...", flush=True)
        result = RUNS[name]()
        print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1), flush=True)


def _lab(arguments: argparse.Namespace) -> int:
    """Runs scenarios one after the other; 1 when a bar was missed."""
    missed = 0
    for name in arguments.names:
        chosen = scenario.load(name, scale=arguments.scale)
        keep = None if arguments.keep is None else arguments.keep.resolve() / name
        result = run(chosen, arguments.arm or ["spillway"], keep=keep)
        print(report.text(result), flush=True)
        folder = arguments.results or (RESULTS if arguments.scale == 1 else None)
        if folder is not None:
            write(name, result, folder)
            (folder / f"{name}.md").write_text(report.text(result), encoding="utf-8")
            picture.draw(folder / f"{name}.svg", result)
        missed += sum(not entry["passed"] for entry in result.get("bars", []))
    return 1 if missed else 0


if __name__ == "__main__":
    main()
