"""Does the console show what happened? A scenario of the load lab, then the page in Chromium beside the account.

The page is read as people see it: numbers from its tables and tiles, in the time range of the run. The account is the
referee's: that of the simulator, the store and the callers, never the app's own word. Counts and tokens have to be
equal; percentiles may differ by ALLOWED_SHARE, or by ALLOWED_SECONDS where that is more. A wait begins on both sides
where the caller sent the try that was taken, and for the overview's tile where the app accepted it. In the account it
ends where the simulator had the call, or sent its first token; on the page where the app made the call, or had that
token.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.console import compare
from bench.console.page import look
from bench.console.report import text
from bench.lab.facts import Facts
from bench.lab.run import run as play
from bench.lab.scenario import load
from bench.lab.stack import LabStack
from bench.machine import RESULTS, write

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PICTURED = "throughput"
"""The tab whose picture is kept in the documentation."""
ARM = "spillway"
KEPT = ("asked", "accepted", "succeeded", "lost", "duplicated", "calls", "calls_429", "drained_after_s")


def run(scenario: str, *, scale: float = 1.0, results: Path | None = None, keep: Path | None = None) -> bool:
    """Plays a scenario and compares; True when the console is right.

    Args:
        scenario: Name of a file in `bench/scenarios`.
        scale: As in the load lab; results of a scaled run go nowhere unless `results` says where.
        results: Folder for the result and the pictures; by default bench/results and, of one tab, docs/images.
        keep: Folder for everything that the load lab keeps.
    """
    with tempfile.TemporaryDirectory(prefix="spillway-console-") as scratch:
        pictures = Path(scratch)

        def compared(stack: LabStack, facts: Facts) -> dict[str, Any]:
            shown = look(stack, facts, pictures)
            return {"console": [asdict(row) for row in compare.compared(shown, facts)], "settled_s": shown.settled_s}

        played = play(load(scenario, scale=scale), [ARM], keep=keep, look=compared)
        result = _result(played)
        print(text(result), flush=True)
        _keep(scenario, result, pictures, scale=scale, results=results)
    return bool(result["agrees"])


def _result(played: dict[str, Any]) -> dict[str, Any]:
    arm = played["arms"][ARM]
    head = {key: value for key, value in played.items() if key not in {"arms", "bars"}}
    return {
        **head,
        "referee": {key: arm[key] for key in KEPT},
        "telemetry_settled_s": arm["settled_s"],
        "allowed": {"share": compare.ALLOWED_SHARE, "seconds": compare.ALLOWED_SECONDS},
        "agrees": all(row["agrees"] for row in arm["console"]),
        "rows": arm["console"],
    }


def _keep(scenario: str, result: dict[str, Any], pictures: Path, *, scale: float, results: Path | None) -> None:
    if results is None and scale != 1:
        return
    name = "console" if scenario == "surge" else f"console-{scenario}"
    write(name, result, results or RESULTS)
    for picture in sorted(pictures.glob("*.png")):
        if results is not None:
            (results / f"{name}-{picture.name}").write_bytes(picture.read_bytes())
        elif picture.stem == PICTURED:
            (IMAGES / f"console-{scenario}.png").write_bytes(picture.read_bytes())
