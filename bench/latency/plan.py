"""What is measured: deployments, prompt and output sizes, and in which order."""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCOPE = "https://ai.azure.com/.default"


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment to call.

    Attributes:
        name: What the report calls it.
        endpoint: Base address of the v1 API, such as https://RESOURCE.openai.azure.com/openai/v1/.
        deployment: Name of the deployment there.
        key_variable: Environment variable that holds the key; None for Entra ID.
        scope: What a token is asked for.
    """

    name: str
    endpoint: str
    deployment: str
    key_variable: str | None = None
    scope: str = SCOPE

    def key(self) -> str | None:
        """The key; None for Entra ID.

        Raises:
            ValueError: The variable is not set.
        """
        if self.key_variable is None:
            return None
        key = os.environ.get(self.key_variable)
        if not key:
            raise ValueError(f"{self.name}: the environment variable {self.key_variable} is not set")
        return key


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One combination that is measured; sizes are tokens."""

    target: str
    prompt_tokens: int
    output_tokens: int

    @property
    def size(self) -> tuple[int, int]:
        """Prompt and output tokens."""
        return self.prompt_tokens, self.output_tokens

    def __str__(self) -> str:
        """For people."""
        return f"{self.target} {self.prompt_tokens}→{self.output_tokens}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. `warm_up` rounds are made and thrown away."""

    targets: tuple[Target, ...]
    prompt_sizes: tuple[int, ...] = (200, 1000)
    output_sizes: tuple[int, ...] = (50, 200)
    rounds: int = 20
    warm_up: int = 2
    seed: int = 1
    concurrency: int = 1
    requests_per_minute: float | None = None
    timeout_seconds: float = 120.0
    same_prefix: bool = False

    @property
    def cells(self) -> list[Cell]:
        """All combinations."""
        return [
            Cell(target.name, prompt, output)
            for target in self.targets
            for prompt in self.prompt_sizes
            for output in self.output_sizes
        ]

    def order(self) -> Iterator[tuple[int, Cell]]:
        """Round and cell of each call: every round holds every cell once, in an order of its own.

        So what changes with time (load of the region, of this machine) meets all cells alike. Rounds below 0 warm up.
        """
        draw = random.Random(f"{self.seed}:order")
        for number in range(-self.warm_up, self.rounds):
            cells = self.cells
            draw.shuffle(cells)
            yield from ((number, cell) for cell in cells)


def read_targets(path: Path) -> tuple[Target, ...]:
    """Targets from a JSON list of objects with the fields of `Target`.

    Raises:
        ValueError: The file says something wrong; the message names it.
    """
    found: Any = json.loads(path.read_text(encoding="utf-8"))
    try:
        targets = tuple(Target(**entry) for entry in found)
    except TypeError as error:
        raise ValueError(f"{path}: each entry needs name, endpoint and deployment ({error})") from error
    names = [target.name for target in targets]
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"{path}: give at least one target, each with a name of its own")
    return targets
