"""What goes wrong when: faults drawn from a seed before anything runs."""

import random
from dataclasses import asdict, dataclass
from typing import Any

CALM_AT_START_SECONDS, CALM_AT_END_SECONDS = 20.0, 30.0
SERVICES = ("broker", "store")
INSTANCES = ("http-1", "http-2", "answer_interactive-1", "answer_standard-1", "answer_batch-1", "score_answer-1")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        weight: How often, against the others.
        parts: What it may strike; `INSTANCES` are processes of the app, by their labels.
        seconds: Shortest and longest.
        offsets: For clocks, by how many seconds at least and at most, in either direction.
    """

    weight: float
    parts: tuple[str, ...]
    seconds: tuple[float, float]
    offsets: tuple[float, float] | None = None


KINDS = {
    "kill": Kind(5, INSTANCES, (0.0, 0.0)),
    "kill_host": Kind(0.6, ("app",), (0.5, 3.0)),
    "kill_service": Kind(2, SERVICES, (0.2, 6.0)),
    "restart": Kind(1.4, SERVICES, (0.0, 1.0)),
    "stall": Kind(4, (*INSTANCES, *SERVICES, "model"), (1.0, 15.0)),
    "disk_full": Kind(2, SERVICES, (1.0, 8.0)),
    "clock_jump": Kind(3, (*INSTANCES, *SERVICES), (10.0, 60.0), (1.0, 30.0)),
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
    first, last = CALM_AT_START_SECONDS, seconds - CALM_AT_END_SECONDS
    names = _names(rng)
    found, at = list[Fault](), first
    while at < last:
        kind = next(names)
        found.append(_fault(rng, at, kind))
        at += rng.uniform(0.4, 1.6) * every_seconds
    return found


def _names(rng: random.Random) -> Any:
    """Names of kinds: every one once, in any order, then by weight."""
    yield from rng.sample(sorted(KINDS), len(KINDS))
    while True:
        yield rng.choices(list(KINDS), [kind.weight for kind in KINDS.values()])[0]


def _fault(rng: random.Random, at: float, name: str) -> Fault:
    kind = KINDS[name]
    offset = 0.0 if kind.offsets is None else rng.uniform(*kind.offsets) * rng.choice((-1, 1))
    return Fault(
        at=round(at, 2),
        kind=name,
        part=rng.choice(kind.parts),
        seconds=round(rng.uniform(*kind.seconds), 2),
        offset_seconds=round(offset, 2),
    )
