"""`python -m bench.latency`: measure deployments, or compare what was measured."""

import argparse
import asyncio
import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench.latency import plots
from bench.latency.compare import between_runs, between_targets, compare
from bench.latency.plan import SCOPE, Plan, Target, read_targets
from bench.latency.report import document, markdown, read_samples
from bench.latency.run import run
from bench.latency.simulator import simulated
from bench.latency.summary import summarise, throughput
from bench.machine import RESULTS, machine


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 when it did what was asked, 2 when something was wrong with it."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.act(options))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="action")
    measure = actions.add_parser("run", help="measure deployments (default: two simulated ones)")
    measure.set_defaults(act=_run)
    measure.add_argument("--targets", type=Path, help="JSON list: name, endpoint, deployment, key_variable (or Entra)")
    measure.add_argument("--endpoint", help="one target: its v1 base address")
    measure.add_argument("--deployment", action="append", default=[], help="its deployment; repeat for several")
    measure.add_argument("--key-variable", help="environment variable with the key (default: Entra ID)")
    measure.add_argument("--scope", default=SCOPE, help="what an Entra token is asked for (default: %(default)s)")
    measure.add_argument("--prompts", type=_sizes, default=(200, 1000), help="prompt tokens, such as 200,1000")
    measure.add_argument("--outputs", type=_sizes, default=(50, 200), help="output tokens, such as 50,200")
    measure.add_argument("--rounds", type=int, default=20, help="calls for each combination (default: %(default)s)")
    measure.add_argument("--warm-up", type=int, default=2, help="rounds before that (default: %(default)s)")
    measure.add_argument("--seed", type=int, default=1, help="of order and prompts (default: %(default)s)")
    measure.add_argument("--concurrency", type=int, default=1, help="calls at a time, at most (default: 1)")
    measure.add_argument("--rate", type=float, help="calls a minute, counted from the moment each was due")
    measure.add_argument("--same-prefix", action="store_true", help="prompts begin alike, so that a cache can help")
    measure.add_argument("--out", type=Path, default=RESULTS / "latency", help="folder (default: %(default)s)")
    versus = actions.add_parser("compare", help="two runs; or with one file, the deployments of it")
    versus.set_defaults(act=_compare)
    versus.add_argument("files", type=Path, nargs="+", metavar="FILE")
    versus.add_argument("--json", action="store_true", help="numbers instead of words")
    return parser


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part) for part in text.split(","))
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError("whole numbers of at least 1, with commas between")
    return sizes


def _targets(options: argparse.Namespace) -> tuple[Target, ...] | None:
    if options.targets is not None:
        return read_targets(options.targets)
    if options.endpoint is None:
        return None
    if not options.deployment:
        raise ValueError("--endpoint needs --deployment")
    return tuple(
        Target(name, options.endpoint, name, options.key_variable, options.scope) for name in options.deployment
    )


def _run(options: argparse.Namespace) -> int:
    given = _targets(options)
    where = "the endpoints given" if given else "two simulated deployments (no measurement of Azure)"
    with (
        tempfile.TemporaryDirectory() as folder,
        nullcontext(given) if given else simulated(Path(folder)) as targets,
    ):
        plan = Plan(
            targets=targets or (),
            prompt_sizes=options.prompts,
            output_sizes=options.outputs,
            rounds=options.rounds,
            warm_up=options.warm_up,
            seed=options.seed,
            concurrency=options.concurrency,
            requests_per_minute=options.rate,
            same_prefix=options.same_prefix,
        )
        about = machine()
        samples = asyncio.run(run(plan, _progress))
    print(file=sys.stderr)
    _write(options.out, plan, samples, about, where)
    return 0


def _progress(done: int, of: int) -> None:
    print(f"\r{done} of {of} calls", end="", file=sys.stderr, flush=True)


def _write(folder: Path, plan: Plan, samples: list[Any], about: dict[str, Any], where: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cells, comparison = summarise(samples), compare(between_targets(samples), seed=plan.seed)
    pace = throughput(samples)
    notes = (
        f"Measured on {where}, {about['at']}: {plan.rounds} calls a cell after {plan.warm_up} to warm up, order and "
        f"prompts from seed {plan.seed}, {plan.concurrency} at a time, no retries: every figure is of a first attempt. "
        f"{pace['requests_per_minute']:.0f} answers, {pace['prompt_tokens_per_minute']:.0f} prompt and "
        f"{pace['output_tokens_per_minute']:.0f} output tokens a minute."
    )
    result = document(plan, samples, cells, machine=about, where=where, throughput=pace, comparison=comparison)
    (folder / "latency.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = markdown("Latency of model deployments", cells, comparison, notes)
    (folder / "latency.md").write_text(text, encoding="utf-8")
    print(text)
    try:
        plots.draw(samples, folder)
    except ImportError:
        print("No pictures: matplotlib is not installed (requirements-dev.txt has it).", file=sys.stderr)
    print(f"wrote {folder}", file=sys.stderr)


def _compare(options: argparse.Namespace) -> int:
    runs = [read_samples(path) for path in options.files]
    if len(runs) > 2:
        raise ValueError("give one file or two")
    pairs = between_targets(runs[0]) if len(runs) == 1 else between_runs(*runs)
    if not pairs:
        raise ValueError("there is no combination of deployment, prompt and output that both have")
    rows = compare(pairs)
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(f"* {row['words']}")
    if len(runs) == 2:
        print(
            "\nThe runs were made at different times: load of the region and of this machine differ too. Measure both "
            "in one run to compare deployments."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
