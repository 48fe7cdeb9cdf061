"""What goes wrong when: faults drawn from a seed before anything runs."""

import random
from dataclasses import asdict, dataclass
from typing import Any

CALM_AT_START_SECONDS, CALM_AT_END_SECONDS = 20.0, 30.0
PERIOD_SECONDS, STEADY_SHARE = 1800.0, 0.6
"""In the last part of each period nothing is replaced, so that processes grow old enough to show what they leak."""
SERVICES = ("broker", "store")
INSTANCES = ("http-1", "http-2", "answer_interactive-1", "answer_standard-1", "answer_batch-1", "score_answer-1")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        weight: How often, against the others.
        parts: What it may strike; `INSTANCES` are processes of the app, by their labels.
        seconds: Shortest and longest.
        replaced: Those of its parts that are other processes afterwards.
        offsets: For clocks, by how many seconds at least and at most, in either direction.
    """

    weight: float
    parts: tuple[str, ...]
    seconds: tuple[float, float]
    replaced: tuple[str, ...] = ()
    offsets: tuple[float, float] | None = None


KINDS = {
    "kill": Kind(5, INSTANCES, (0.0, 0.0), replaced=INSTANCES),
    "kill_host": Kind(0.8, ("app",), (0.5, 3.0), replaced=("app",)),
    "kill_service": Kind(2, SERVICES, (0.2, 6.0), replaced=SERVICES),
    "restart": Kind(1.2, SERVICES, (0.0, 1.0), replaced=SERVICES),
    "stall": Kind(4, (*INSTANCES, *SERVICES, "model"), (1.0, 15.0)),
    # The broker ends when it cannot write its journal; the store refuses to write and goes on.
    "disk_full": Kind(2, SERVICES, (1.0, 8.0), replaced=("broker",)),
    "clock_jump": Kind(3, (*INSTANCES, *SERVICES), (10.0, 60.0), offsets=(1.0, 30.0)),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        at: Seconds after the start.
        seconds: How long the part is away, stopped, without disk, or on the wrong clock.
        offset_seconds: What its clock is set forward by; negative for back.
    """

    at: float
    kind: str
    part: str
    seconds: float
    offset_seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For the result file."""
        return {key: value for key, value in asdict(self).items() if key != "offset_seconds" or value}


def draw(seed: int, seconds: float, *, every_seconds: float) -> list[Fault]:
    """Faults in order, about one every `every_seconds`, and each kind once early on when there is time for that."""
    rng = random.Random(f"faults:{seed}")
    at, last = CALM_AT_START_SECONDS, seconds - CALM_AT_END_SECONDS
    first = rng.sample(sorted(KINDS), len(KINDS))
    found = list[Fault]()
    while at < last:
        steady = is_steady(at, seconds)
        found.append(_fault(rng, at, first.pop() if first and not steady else _kind(rng, steady=steady), steady=steady))
        at += rng.uniform(0.4, 1.6) * every_seconds
    return found


def is_steady(at: float, seconds: float) -> bool:
    """No process is replaced at this moment of a soak of so many seconds."""
    period = min(PERIOD_SECONDS, seconds)
    return at % period >= (1 - STEADY_SHARE) * period


def _kind(rng: random.Random, *, steady: bool) -> str:
    names = [name for name, kind in KINDS.items() if _parts(kind, steady=steady)]
    return rng.choices(names, [KINDS[name].weight for name in names])[0]


def _parts(kind: Kind, *, steady: bool) -> list[str]:
    return [part for part in kind.parts if not steady or part not in kind.replaced]


def _fault(rng: random.Random, at: float, name: str, *, steady: bool) -> Fault:
    kind = KINDS[name]
    offset = 0.0 if kind.offsets is None else rng.uniform(*kind.offsets) * rng.choice((-1, 1))
    return Fault(
        at=round(at, 2),
        kind=name,
        part=rng.choice(_parts(kind, steady=steady)),
        seconds=round(rng.uniform(*kind.seconds), 2),
        offset_seconds=round(offset, 2),
    )
