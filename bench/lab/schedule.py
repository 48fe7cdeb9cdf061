"""The schedule: who asks what when, drawn from a seed before anything runs, the same for every arm."""

import csv
import hashlib
import json
import os
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.lab.scenario import Phase, Scenario

ROOT = Path(__file__).resolve().parents[2]
DATASETS = ROOT.parent / "shared" / "datasets"
OWN = ROOT / "evals" / "golden" / "wallegpt.jsonl"


@dataclass(frozen=True, slots=True)
class Planned:
    """One turn that will be asked.

    Attributes:
        at: Intended moment, in seconds after the start; all latencies count from it.
        mode: `stream` or `async`.
    """

    number: int
    phase: str
    tenant: str
    lane: str
    mode: str
    at: float
    text: str

    @property
    def digest(self) -> str:
        """What the simulator's account calls the question: the SHA-256 of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def texts() -> tuple[list[str], str]:
    """Questions of real customers and where they come from: banking77 where it is at hand, else our own golden set."""
    path = Path(os.environ.get("SPILLWAY_DATASETS", DATASETS)) / "banking77" / "test.csv"
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            return [row["text"].strip() for row in csv.DictReader(file)], "banking77"
    lines = [json.loads(line) for line in OWN.read_text(encoding="utf-8").splitlines() if line.strip()]
    print(f"banking77 is not at {path}: asking the questions of {OWN.relative_to(ROOT)} instead.")
    return [line["question"] for line in lines], "evals/golden"


def draw(scenario: Scenario, questions: list[str]) -> list[Planned]:
    """The schedule of a scenario, in the order of the intended moments.

    Each text is made unlike all others by a number, so that calls can be told apart by their question alone.
    """
    drawn = sorted(
        ((at, phase, *_who(phase, rng)) for phase in scenario.phases for at, rng in _moments(phase, scenario.seed)),
        key=lambda entry: entry[0],
    )
    shuffled = random.Random(scenario.seed).sample(questions, len(questions))
    return [
        Planned(
            number=number,
            phase=phase.name,
            tenant=tenant,
            lane=lane,
            mode=scenario.modes[lane],
            at=round(at, 6),
            text=f"{shuffled[number % len(shuffled)]} (case {number})",
        )
        for number, (at, phase, tenant, lane) in enumerate(drawn)
    ]


def _moments(phase: Phase, seed: int) -> Iterator[tuple[float, random.Random]]:
    rng = random.Random(f"{seed}:{phase.name}")
    every = 60.0 / phase.rate_per_minute
    at = every / 2 if phase.arrivals == "fixed" else rng.expovariate(1 / every)
    while at < phase.seconds:
        yield phase.begins + at, rng
        at += every if phase.arrivals == "fixed" else rng.expovariate(1 / every)


def _who(phase: Phase, rng: random.Random) -> tuple[str, str]:
    (tenant,) = rng.choices(list(phase.tenants), list(phase.tenants.values()))
    (lane,) = rng.choices(list(phase.lanes), list(phase.lanes.values()))
    return tenant, lane


def write(path: Path, schedule: list[Planned]) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(asdict(planned)) + "\n" for planned in schedule), encoding="utf-8")


def read(path: Path) -> list[Planned]:
    """What `write` wrote."""
    entries: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Planned(**entry) for entry in entries]
