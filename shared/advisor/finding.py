"""What one rule found: how much of each turn's wait one change would have saved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.advisor.journeys import Journey


class Basis(StrEnum):
    """Where the prediction comes from."""

    MEASURED = "measured"
    """Every part of it was measured in these turns, the better case included."""
    MODELLED = "modelled"
    """A relation that was fitted to these turns."""
    ASSUMED = "assumed"
    """What a healthy part usually takes: no turn here shows it."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the operator knows better than the timelines.

    Attributes:
        output_tokens: What an answer needs; None to learn it from answers with the same sources.
    """

    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause of waiting.

    Attributes:
        cause: One word; docs/latency.md explains each.
        subject: Which deployment, step or stage; empty when there is only one.
        change: What to do, in a sentence.
        saved: Milliseconds of each turn, in the order of the turns.
        numbers: What it was measured on.
        unsure: The 95 % interval of what was fitted, as a share of it.
    """

    cause: str
    subject: str
    change: str
    saved: Sequence[float]
    basis: Basis
    numbers: Mapping[str, Any] = field(default_factory=dict)
    unsure: tuple[float, float] = (1.0, 1.0)


Rule = Callable[[Sequence[Journey], Needs], list[Finding]]
