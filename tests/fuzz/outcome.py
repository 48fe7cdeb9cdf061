"""`python -m tests.fuzz.outcome API_LOG FOLDER`: what was fuzzed, for how long and with what outcome, as one file.

API_LOG is what `tests.fuzz.api` printed, FOLDER where `tests.fuzz` kept its logs. Writes bench/results/fuzz.json.
"""

import re
import sys
from pathlib import Path
from typing import Any

from bench.machine import machine, write

RUNS = ("ids generated", "ids that are there", "routes that pause others")


def of_api(log: str) -> list[dict[str, Any]]:
    """The runs of schemathesis in a log: calls generated and passed, the seed, and whether there were issues."""
    found = []
    for name, part in zip(RUNS, log.split("Schemathesis v")[1:], strict=False):
        # A passed run says "N generated, N passed, M skipped"; another counts its failures in between.
        cases = re.search(r"Test cases:\s+(.+)", part)
        counts = {word: int(count) for count, word in re.findall(r"(\d+) ([a-z ]+\w)", cases[1])} if cases else {}
        seed = re.search(r"Seed: (\d+)", part)
        found.append(
            {"what": name, **counts, "seed": seed[1] if seed else None, "no_issues": "No issues found" in part}
        )
    return found


def of_decoder(log: str) -> dict[str, Any]:
    """One run of a fuzzer: inputs tried, seconds, code reached, and whether it came to its end without a finding."""
    done = re.search(r"Done (\d+) runs in (\d+) second", log)
    reached = re.findall(r"cov: (\d+)", log)
    slowest = re.search(r"slowest_unit_time_sec:\s+(\d+)", log)
    # An input that took long is kept too; it is a finding only when it took longer than one may, a "timeout".
    found = re.search(r"Test unit written to \S*(crash|timeout|oom|leak)-", log)
    return {
        "inputs": int(done[1]) if done else None,
        "seconds": int(done[2]) if done else None,
        "places_reached": int(reached[-1]) if reached else None,
        "slowest_input_seconds": int(slowest[1]) if slowest else None,
        "no_finding": done is not None and found is None,
    }


def main() -> int:
    """Writes the file; 1 when something was found, or when a part did not come to its end."""
    api, folder = Path(sys.argv[1]), Path(sys.argv[2])
    calls = of_api(api.read_text(errors="replace"))
    decoders = {path.stem: of_decoder(path.read_text(errors="replace")) for path in sorted(folder.glob("*.log"))}
    decoders.pop("api", None)
    result = {
        "machine": machine(),
        "api": {"calls": sum(run.get("generated", 0) for run in calls), "runs": calls},
        "decoders": decoders,
    }
    write("fuzz", result)
    good = len(calls) == len(RUNS) and all(run["no_issues"] for run in calls)
    return 0 if good and decoders and all(run["no_finding"] for run in decoders.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
