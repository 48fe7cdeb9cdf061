"""What is assumed, read from `assumed.toml`. Times are seconds, charges request units."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "assumed.toml"
KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class Network:
    """Mean times of one operation, there and back."""

    store_seconds: float
    bus_seconds: float
    model_seconds: float


@dataclass(frozen=True, slots=True)
class Store:
    """Charges and limits of Cosmos DB; what each is comes with its source in the file."""

    read: float
    read_more_kilobyte: float
    write: float
    write_more_kilobyte: float
    replace_factor: float
    conflict_units: float
    partition_units_per_second: float
    longest_throttle_seconds: float
    direct_turn_units: float
    queued_turn_units: float
    sleep_units: float
    checkpoint_units: float
    call_units: float

    def read_units(self, size_bytes: int) -> float:
        """A point read."""
        return self.read + max(0.0, size_bytes / KILOBYTE - 1) * self.read_more_kilobyte

    def replace_units(self, size_bytes: int) -> float:
        """A replace, or a patch."""
        return (self.write + max(0.0, size_bytes / KILOBYTE - 1) * self.write_more_kilobyte) * self.replace_factor


@dataclass(frozen=True, slots=True)
class Answers:
    """How fast a model answers."""

    first_token_seconds: float
    between_tokens_seconds: float
    spread: float


@dataclass(frozen=True, slots=True)
class Turns:
    """What callers ask."""

    lanes: Mapping[str, float]
    deadline_seconds: Mapping[str, float]
    prompt_tokens: float
    max_output_tokens: float
    answer_tokens: float
    spread: float
    tenants: tuple[float, ...]

    @property
    def estimate(self) -> float:
        """Mean tokens that a call is charged at admission."""
        return self.prompt_tokens + self.max_output_tokens


@dataclass(frozen=True, slots=True)
class Assumptions:
    """All of them."""

    network: Network
    store: Store
    answers: Answers
    turns: Turns
    message_operations: int
    relay_operations: int


def read(network: str = "azure", path: Path = FILE) -> Assumptions:
    """The assumptions of a file; `network` names one of its networks."""
    values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    turns = values["turns"] | {"tenants": tuple(values["turns"]["tenants"])}
    return Assumptions(
        Network(**values["network"][network]),
        Store(**values["store"]),
        Answers(**values["model"]),
        Turns(**turns),
        values["bus"]["message_operations"],
        values["bus"]["relay_operations"],
    )
