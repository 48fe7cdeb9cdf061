"""Ten installations with a fault each: is it the first thing the advisor names, and does the change save what it says?

Blocks with the fault and blocks without alternate within one run, so that the ratio of predicted and real gain does not
hang on what else the machine does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean, median
from typing import Any

from bench.advising.cases import Case, cases
from bench.advising.site import Site
from bench.machine import RESULTS, machine, write
from tests.processes import ROOT

TOLERANCE = 0.35
"""A predicted mean gain counts as right when it is within this share of what the change truly saved."""
NAMED_FIRST = 9
KEPT = ("path", "model", "deployment", "usage", "citations", "attempts", "timeline")
RECORDED = {"sequential_context", "far_region"}


def run(only: tuple[str, ...] = (), record: Path | None = None) -> dict[str, Any]:
    """All cases, or those named; with a folder, the turns of two of them are kept there."""
    description = machine()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "site").mkdir()
        for case in cases(Path(folder)):
            if only and case.cause not in only:
                continue
            site = Site(Path(folder) / "site" / case.cause)
            site.folder.mkdir()
            try:
                rows.append(_measured(case, site.start(), record))
            finally:
                site.stop()
            row = rows[-1]
            print(f"  {row['cause']}: first {row['first']}, {row.get('ratio')} of the gain", flush=True)
    rows = [*_kept(only), *rows] if only else rows
    result = {
        "machine": description,
        "conditions": "advice from the records of the turns with the fault; gain: what callers waited with the fault "
        "minus without, blocks alternating",
        "tolerance": TOLERANCE,
        "cases": len(rows),
        "named_first": sum(row["right"] for row in rows),
        "gain_within_tolerance": sum(row["within_tolerance"] for row in rows),
        "rows": rows,
    }
    write("advisor", result)
    return result


def _kept(again: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of the last run that are not measured again."""
    path = RESULTS / "advisor.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    return [row for row in rows if row["cause"] not in again]


def _measured(case: Case, site: Site, record: Path | None) -> dict[str, Any]:
    began = time.monotonic()
    site.ask(0), site.ask(1)  # warm
    ill: list[tuple[str, float]] = []
    well: list[tuple[str, float]] = []
    for _ in range(case.blocks):
        case.put_in(site)
        _settle(case, site)
        ill += case.ask(site, case.turns)
        case.take_out(site)
        _settle(case, site)
        well += (case.well_ask or case.ask)(site, case.turns)
    records = site.records([turn_id for turn_id, _ in ill])
    report = _advice(records)
    row = {
        "cause": case.cause,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load_average": round(os.getloadavg()[0], 1),
        "turns": len(ill),
        "seconds": round(time.monotonic() - began),
    }
    row |= _judged(case, report, [waited for _, waited in ill], [waited for _, waited in well])
    if record is not None and case.cause in RECORDED:
        turns = [{name: one.get(name) for name in KEPT} for one in records]
        kept = {"cause": case.cause, "gained_ms": row["gained_ms"], "turns": turns}
        (record / f"{case.cause}.json").write_text(json.dumps(kept, separators=(",", ":")) + "\n", encoding="utf-8")
    return row


def _advice(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """What the app's own command says of these turns."""
    command = [sys.executable, "-m", "shared.advisor", "--json"]
    done = subprocess.run(command, input=json.dumps(turns), capture_output=True, text=True, check=True, cwd=ROOT)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _settle(case: Case, site: Site) -> None:
    """The first turn after a change pays for what is new; it is nobody's advice."""
    if case.cause != "cold_start":
        site.ask(0)


def _judged(case: Case, report: dict[str, Any], ill: list[float], well: list[float]) -> dict[str, Any]:
    told = [(line["cause"], line["subject"]) for line in report["advice"]]
    first = report["advice"][0] if told else {"cause": None, "subject": None}
    own = next((line for line in report["advice"] if line["cause"] == case.cause), None)
    gained = fmean(ill) - fmean(well)
    predicted = own["gain_ms"] if own else None
    ratio = round(predicted["mean"]["predicted"] / gained, 3) if predicted and gained > 0 else None
    return {
        "first": first["cause"],
        "right": first["cause"] == case.cause and case.subject in {"", first["subject"]},
        "advice": [f"{cause} {subject}".strip() for cause, subject in told],
        "predicted_ms": predicted,
        "sure": own["sure"] if own else None,
        "gained_ms": {"p50": round(median(ill) - median(well), 1), "mean": round(gained, 1)},
        "ratio": ratio,
        "within_tolerance": ratio is not None and abs(ratio - 1) <= TOLERANCE,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.advisor", description=__doc__)
    parser.add_argument("cases", nargs="*", help="causes to put in (default: all ten)")
    parser.add_argument("--record", type=Path, metavar="DIR", help="keep the turns of two cases there, for tests")
    options = parser.parse_args()
    found = run(tuple(options.cases), options.record)
    sys.exit(0 if found["named_first"] >= min(NAMED_FIRST, found["cases"]) else 1)
