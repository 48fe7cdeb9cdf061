"""Scenarios: what is asked when, on which deployments, what goes wrong meanwhile, and which bars must be passed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "scenarios"
LANES = ("interactive", "standard", "batch")
MODES = ("stream", "async")
ACTIONS = ("fault", "container_fault", "kill_part", "kill_workers")
MOST_TURNS, MOST_SECONDS = 20_000, 900.0


class ScenarioError(ValueError):
    """A scenario file is wrong; the message names the file and the place."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Load of one kind for some time. Phases may overlap.

    Attributes:
        begins: Seconds after the start; the end of the phase before when not given.
        rate_per_minute: Turns a minute.
        arrivals: `poisson` or `fixed`.
        lanes: Weight of each lane.
        tenants: Weight of each tenant.
    """

    name: str
    begins: float
    seconds: float
    rate_per_minute: float
    arrivals: str = "poisson"
    lanes: Mapping[str, float] = field(default_factory=lambda: {"interactive": 0.7, "standard": 0.2, "batch": 0.1})
    tenants: Mapping[str, float] = field(default_factory=lambda: {"contoso": 1.0})


@dataclass(frozen=True, slots=True)
class Outage:
    """For how long less than the quota is there, and which share of it is left."""

    seconds: float
    permitted_share: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at a time.

    Attributes:
        at: Seconds after the start.
        do: One of ACTIONS.
        options: What the action needs, see `bench.lab.events`.
        outage: What it means for the quota, when it does.
    """

    at: float
    do: str
    options: Mapping[str, Any]
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of the run whose cost is measured apart, until the next one begins; the last until all is done."""

    name: str
    begins: float


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure of the `spillway` arm must be.

    Attributes:
        what: Dotted path in the arm's result.
        relative_to: The figure is divided by this one first.
    """

    what: str
    at_most: float | None = None
    at_least: float | None = None
    relative_to: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, as its file says.

    Attributes:
        scale: What all durations of the load were multiplied by.
        deployments: As the simulator is configured; the app and the rivals see the same.
        modes: Per lane, whether its callers hold a stream or take 202 and leave.
        retries: How often a refused caller comes back when its Retry-After is over.
        patience_seconds: How long a caller waits for everything together.
        drain_seconds: Bound for what is still open when the last turn was asked.
        instances: Values of the host's `--instances`.
        settings: App settings on top of the lab's.
        lock: Lock duration of the lanes' queues (ISO 8601).
    """

    name: str
    title: str
    seed: int
    scale: float
    phases: tuple[Phase, ...]
    deployments: tuple[Mapping[str, Any], ...]
    max_output_tokens: int
    answer_tokens: int
    modes: Mapping[str, str]
    retries: int
    patience_seconds: float
    drain_seconds: float
    instances: tuple[str, ...]
    settings: Mapping[str, str]
    lock: str
    events: tuple[Event, ...]
    segments: tuple[Segment, ...]
    bars: tuple[Bar, ...]

    @property
    def asks_until(self) -> float:
        """When the last phase ends, in seconds after the start."""
        return max(phase.begins + phase.seconds for phase in self.phases)

    @property
    def quota(self) -> dict[str, int]:
        """Tokens a minute of each deployment."""
        return {entry["name"]: int(entry["tokens_per_minute"]) for entry in self.deployments}

    @property
    def tenants(self) -> list[str]:
        """All tenants that ask."""
        return sorted({tenant for phase in self.phases for tenant in phase.tenants})


def names() -> list[str]:
    """The scenarios there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, *, scale: float = 1.0) -> Scenario:
    """Reads a scenario by its name.

    Args:
        name: File name in `bench/scenarios` without its end.
        scale: Multiplies all durations that load takes; below 1 for a quick look, whose bars mean nothing.

    Raises:
        ScenarioError: There is no such file, or something in it is wrong.
    """
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ScenarioError(f"There is no scenario {name}. There are: {', '.join(names())}.")
    try:
        return parse(name, tomllib.loads(path.read_text(encoding="utf-8")), scale=scale)
    except (ValueError, TypeError, KeyError) as error:
        raise ScenarioError(f"{path.name}: {type(error).__name__}: {error}") from error


def parse(name: str, document: Mapping[str, Any], *, scale: float = 1.0) -> Scenario:
    """Turns a document into a scenario.

    Raises:
        ScenarioError: A value is out of bounds.
        TypeError: A field is unknown.
        KeyError: A field is missing.
    """
    values = dict(document)
    model = values.pop("model")
    callers = values.pop("callers", {})
    scenario = Scenario(
        name=name,
        title=values.pop("title"),
        seed=values.pop("seed", 7),
        scale=scale,
        phases=_phases(values.pop("phases"), scale),
        deployments=tuple(_deployments(values.pop("deployments"), model)),
        max_output_tokens=model["max_output_tokens"],
        answer_tokens=model["answer_tokens"],
        modes={"interactive": "stream", "standard": "async", "batch": "async", **callers.get("modes", {})},
        retries=callers.get("retries", 3),
        patience_seconds=callers.get("patience_seconds", 300.0),
        drain_seconds=values.pop("drain_seconds", 240.0),
        instances=tuple(values.pop("instances", ("2",))),
        settings={key: str(value) for key, value in values.pop("settings", {}).items()},
        lock=values.pop("lock", "PT1M"),
        events=tuple(_event(entry, scale) for entry in values.pop("events", [])),
        segments=tuple(_segment(entry, scale) for entry in values.pop("segments", [{"name": "all", "begins": 0.0}])),
        bars=tuple(Bar(**entry) for entry in values.pop("bars", [])),
    )
    if values:
        raise ScenarioError(f"unknown: {', '.join(sorted(values))}")
    _check(scenario)
    return scenario


def _phases(entries: list[dict[str, Any]], scale: float) -> tuple[Phase, ...]:
    found, at = list[Phase](), 0.0
    for entry in entries:
        begins = entry["begins"] * scale if "begins" in entry else at
        found.append(Phase(**{**entry, "begins": begins, "seconds": entry["seconds"] * scale}))
        at = begins + found[-1].seconds
    return tuple(found)


def _deployments(entries: list[dict[str, Any]], model: Mapping[str, Any]) -> list[dict[str, Any]]:
    latency = {
        "time_to_first_token_ms": model.get("time_to_first_token_ms", 150),
        "per_prompt_token_ms": 0,
        "between_tokens_ms": model.get("between_tokens_ms", 10),
        "spread": model.get("spread", 0.2),
        "round_trip_ms": 0,
    }
    common = {"tier": "standard", "latency": latency}
    return [{**common, "region": f"region{number}", **entry} for number, entry in enumerate(entries)]


def _event(entry: Mapping[str, Any], scale: float) -> Event:
    values = dict(entry)
    outage = values.pop("outage", None)
    return Event(
        at=values.pop("at") * scale,
        do=values.pop("do"),
        outage=None if outage is None else Outage(**outage),
        options=values,
    )


def _segment(entry: Mapping[str, Any], scale: float) -> Segment:
    return Segment(entry["name"], entry["begins"] * scale)


def _check(scenario: Scenario) -> None:
    turns = sum(phase.rate_per_minute * phase.seconds / 60 for phase in scenario.phases)
    faults = [
        (turns <= MOST_TURNS, f"asks about {turns:.0f} turns; at most {MOST_TURNS}"),
        (scenario.asks_until + scenario.drain_seconds <= MOST_SECONDS, f"lasts longer than {MOST_SECONDS:.0f} s"),
        (all(set(phase.lanes) <= set(LANES) for phase in scenario.phases), f"lanes are {', '.join(LANES)}"),
        (all(phase.arrivals in {"poisson", "fixed"} for phase in scenario.phases), "arrivals are poisson or fixed"),
        (all(phase.rate_per_minute > 0 < phase.seconds for phase in scenario.phases), "rate and seconds are above 0"),
        (set(scenario.modes) == set(LANES) and set(scenario.modes.values()) <= set(MODES), "modes are stream or async"),
        (all(event.do in ACTIONS for event in scenario.events), f"events do {', '.join(ACTIONS)}"),
        (bool(scenario.segments) and scenario.segments[0].begins == 0.0, "the first segment begins at 0"),
    ]
    if wrong := [message for holds, message in faults if not holds]:
        raise ScenarioError("; ".join(wrong))
