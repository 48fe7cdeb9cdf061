"""`python -m bench simulate`: runs shapes, holds the simulation against the real stack, writes the results."""

import argparse
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from bench.machine import RESULTS, machine, write
from bench.simulation import against, assumptions, picture, report
from bench.simulation.contention import contention
from bench.simulation.figures import figures
from bench.simulation.plan import Plan
from bench.simulation.prices import cost_per_million
from bench.simulation.shapes import SHAPES, Size
from bench.simulation.sizes import sizes
from bench.simulation.world import play

NAME = "simulation"


def add(commands: Any) -> None:
    """Adds the command to `python -m bench`."""
    size = Size()
    parser: argparse.ArgumentParser = commands.add_parser(
        "simulate", help="the fleet in virtual time, see docs/scale.md"
    )
    parser.add_argument("--shape", action="append", choices=[*SHAPES], help="shapes to run (default: all); repeatable")
    parser.add_argument("--instances", type=int, default=size.instances, help="instances that share every account")
    parser.add_argument("--pools", type=int, default=size.pools, help="models, each with its own deployments")
    parser.add_argument("--deployments", type=int, default=size.deployments, help="deployments of all pools")
    parser.add_argument("--turns-per-minute", type=float, default=size.turns_per_minute)
    parser.add_argument("--minutes", type=float, default=size.minutes, help="length of the steady load")
    parser.add_argument("--seed", type=int, default=size.seed)
    parser.add_argument("--network", choices=["azure", "local"], default=size.network)
    parser.add_argument("--reads-first", action="store_true", help="try the proposal of docs/scale.md")
    parser.add_argument("--played", type=int, default=0, help="pools to play when not all: they are alike (0: all)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="pools are spread over so many")
    parser.add_argument("--add", action="store_true", help="add to the result that is there, or replace a run of it")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where results go")


def run(options: argparse.Namespace) -> None:
    """Runs what was asked for and writes JSON, table and picture."""
    size = Size(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Size)})
    result = _kept(options.results) if options.add else {}
    result |= {"machine": machine(), "seed": size.seed, "network": size.network}
    if not options.add:
        print("held against the real stack, and at the sizes of docs/sizing.md ...", flush=True)
        result |= {"against": against.compared(), "sizes": sizes(size.seed), "contention": contention(size.seed)}
    runs = {entry["name"]: entry for entry in result.get("runs", [])}
    for shape in options.shape or SHAPES:
        plan = dataclasses.replace(SHAPES[shape](size, assumptions.read(size.network)), played=options.played)
        name = f"{shape}, {plan.instances:,} instances{', as proposed' if plan.reads_first else ''}"
        print(f"{name}: {plan.turns * (plan.played or plan.pools) / plan.pools:,.0f} turns ...", flush=True)
        runs[name] = _entry(name, plan, options.processes)
        result["runs"] = sorted(runs.values(), key=lambda entry: -entry["figures"]["turns"]["asked"])
        _write(options.results, result)
    print(report.text(result), flush=True)


def _entry(name: str, plan: Plan, processes: int) -> dict[str, Any]:
    assumed = assumptions.read(plan.network)
    tally, seconds, processor = play(plan, processes=processes)
    found = figures(plan, tally, assumed)
    print(f"{name}: {plan.seconds:.0f} simulated seconds took {seconds:.0f}, {tally.events:,} events", flush=True)
    pools = plan.played or plan.pools
    return {
        "name": name,
        "conditions": {
            "shape": plan.shape,
            "instances": plan.instances,
            "reads_first": plan.reads_first,
            "pools": f"{plan.pools} ({pools}), {plan.deployments}",
            "turns_per_minute": max(phase.turns_per_minute for phase in plan.phases),
            "tokens_per_minute_of_a_deployment": plan.tokens_per_minute,
            "simulated_seconds": plan.seconds,
            "processes": processes,
            "real_seconds": round(seconds, 1),
            "processor_seconds": round(processor, 1),
            "took": f"{plan.seconds:.0f}; {seconds:.0f}, {processor:.0f}",
            "events": tally.events,
        },
        "machine": machine(),
        "figures": found,
        "cost_per_million": cost_per_million(plan, found["per_million"], assumed),
    }


def _kept(folder: Path) -> dict[str, Any]:
    path = folder / f"{NAME}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _write(folder: Path, result: dict[str, Any]) -> None:
    write(NAME, result, folder)
    (folder / f"{NAME}.md").write_text(report.text(result), encoding="utf-8")
    picture.draw(folder / f"{NAME}.svg", result)
