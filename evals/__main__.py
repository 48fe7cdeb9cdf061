"""`python -m evals`: evaluate an installation, or local Azure when none is named."""

import argparse
import os
import tempfile
from pathlib import Path

from evals.client import InstallationError, installation
from evals.follow import Wish, say
from evals.run import evaluate
from evals.stack import ROOT, JudgedStack
from shared.evaluation.errors import EvaluationError
from tests.acceptance.stack import OPERATOR

DESCRIPTION = """\
Asks an installation every question of a set, has the answers scored there, and says GO, HOLD or NO-GO.

Without --url it starts local Azure with the app, stores the shop's knowledge and stops everything at the end. There is
no model then: answers are put together from the documents and a stand-in compares words. That shows that everything
works and what a change breaks; it does not show how good a model is."""
EPILOG = """\
exit codes: 0 GO, 1 NO-GO, 2 HOLD, 3 the run did not come to its end; with --compare-judge 0 when the judge reaches
the bar of the gate file, else 2

examples:
  python -m evals
  python -m evals --sample 40 --baseline evals/baselines/local.jsonl
  python -m evals --url https://NAME.azurewebsites.net --key KEY --max-cost 5
  SPILLWAY_DATASETS=~/datasets python -m evals --suite truthfulqa --sample 100
  python -m evals --url https://NAME.azurewebsites.net --key KEY --compare-judge labelled.csv --evaluator relevance
"""
LOCAL_NOTE = "Local run: extractive answers, judged by a stand-in that compares words"


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m evals",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = made.add_argument_group("what is evaluated")
    where.add_argument("--url", help="address of an installation (default: start one on local Azure)")
    where.add_argument("--key", help="an operator's key for it (default: the variable SPILLWAY_OPERATOR_KEY)")
    where.add_argument("--model", help="model name to ask (default: the installation's)")
    where.add_argument("--instances", default="2", help="processes of the app on local Azure (default: %(default)s)")
    what = made.add_argument_group("with what")
    what.add_argument(
        "--items",
        type=Path,
        default=ROOT / "evals" / "golden" / "wallegpt.jsonl",
        metavar="FILE",
        help="questions as .jsonl or .csv (default: the shop's golden set)",
    )
    what.add_argument(
        "--suite",
        choices=["mmlu", "truthfulqa", "pubmedqa", "xstest", "bbq"],
        help="a public test set that the installation has, instead of --items",
    )
    what.add_argument(
        "--compare-judge",
        nargs="?",
        const="",
        metavar="FILE",
        help="instead of an evaluation: how far the judge agrees with people. FILE has the columns question, answer "
        "and target (what people said: the evaluator's label, or pass or fail); without FILE the labelled answers of "
        "TruthfulQA are used, which the installation has to have",
    )
    what.add_argument(
        "--evaluator",
        default="similarity",
        metavar="NAME",
        help="whose judge is compared with the labels of FILE (default: %(default)s)",
    )
    what.add_argument(
        "--sample", type=int, metavar="N", help="ask N of the questions, drawn by the seed (default: all)"
    )
    what.add_argument("--seed", type=int, default=1, help="of the draw and of shuffled choices (default: %(default)s)")
    what.add_argument(
        "--gates",
        type=Path,
        default=ROOT / "evals" / "gates.toml",
        metavar="FILE",
        help="demands (default: %(default)s)",
    )
    what.add_argument("--baseline", type=Path, metavar="FILE", help="results of an accepted run to compare with")
    limits = made.add_argument_group("limits")
    limits.add_argument(
        "--concurrency", type=int, default=16, metavar="N", help="questions under way at a time (default: %(default)s)"
    )
    limits.add_argument("--max-calls", type=int, metavar="N", help="most judge calls (default: no bound)")
    limits.add_argument(
        "--max-calls-per-hour", type=int, metavar="N", help="most judge calls in an hour of the run (default: no bound)"
    )
    limits.add_argument("--max-cost", type=float, metavar="USD", help="most money for judges (default: no bound)")
    out = made.add_argument_group("results")
    out.add_argument(
        "--results",
        type=Path,
        default=ROOT / "evals" / "results",
        metavar="FOLDER",
        help="where JSON and scorecard go (default: %(default)s)",
    )
    out.add_argument("--accept", type=Path, metavar="FILE", help="write the results as a new baseline to this file")
    return made


def main() -> None:
    """The command line."""
    options = parser().parse_args()
    try:
        raise SystemExit(run_from(options) if options.url else _local(options))
    except (InstallationError, EvaluationError) as error:
        raise SystemExit(str(error)) from error


def _wish(options: argparse.Namespace, note: str) -> Wish:
    return Wish(
        items=options.items,
        gates=options.gates,
        results=options.results,
        baseline=options.baseline,
        accept=options.accept,
        suite=options.suite,
        sample_size=options.sample,
        seed=options.seed,
        concurrency=options.concurrency,
        model=options.model,
        max_judge_calls=options.max_calls,
        max_calls_per_hour=options.max_calls_per_hour,
        max_cost_usd=options.max_cost,
        note=note,
        labelled=options.compare_judge,
        labelled_for=options.evaluator,
    )


def run_from(options: argparse.Namespace) -> int:
    """Evaluates the installation that is named; the exit code."""
    key = options.key or os.environ.get("SPILLWAY_OPERATOR_KEY")
    if not key:
        raise InstallationError("give --key, or put an operator's key into SPILLWAY_OPERATOR_KEY")
    with installation(options.url, key) as target:
        return evaluate(target, _wish(options, ""))


def _local(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="spillway-evals-") as folder:
        stack = JudgedStack(Path(folder), host_options=("--instances", options.instances), durable=False)
        say("Starting local Azure and the app ...")
        try:
            stack.start()
            say(f"Stored {stack.seed()} documents of the shop.")
            with installation(stack.url, OPERATOR) as target:
                return evaluate(target, _wish(options, LOCAL_NOTE))
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
