"""Which production turns are evaluated, and what each stands for.

The draw is a hash of salt and session, so a replayed message gets the same decision, and a session is seen whole.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

_STEPS = 2**64


class Stratum(StrEnum):
    """Why a turn deserves more attention than others."""

    ERROR = "error"
    BLOCKED = "blocked"
    NEGATIVE_FEEDBACK = "negative_feedback"
    NEW_VERSION = "new_version"
    """A prompt or model version in its first days."""


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """The chance of a turn to be drawn: the base rate, or the highest rate of the strata it is in."""

    salt: str
    base_rate: float = 0.05
    stratum_rates: Mapping[Stratum, float] = field(
        default_factory=lambda: {
            Stratum.ERROR: 0.5,
            Stratum.BLOCKED: 0.5,
            Stratum.NEGATIVE_FEEDBACK: 1.0,
            Stratum.NEW_VERSION: 0.25,
        }
    )

    def __post_init__(self) -> None:
        """Refuse rates that are no probabilities, and a base rate of zero, with which no estimate is possible."""
        for name, rate in (("base_rate", self.base_rate), *self.stratum_rates.items()):
            if not 0 < rate <= 1:
                raise ValueError(f"the sampling rate {name} must be above 0 and at most 1, found {rate}")

    def rate(self, strata: Iterable[Stratum]) -> float:
        """The inclusion probability of a turn in these strata."""
        return max([self.base_rate, *(self.stratum_rates.get(stratum, 0.0) for stratum in strata)])


@dataclass(frozen=True, slots=True)
class Draw:
    """The decision on one turn, to be kept with its scores."""

    drawn: bool
    probability: float
    cluster: str

    @property
    def weight(self) -> float:
        """How many turns a drawn one stands for."""
        return 1 / self.probability


def draw(plan: SamplingPlan, session_id: str, strata: Iterable[Stratum] = ()) -> Draw:
    """Decide on one turn. Drawn when u(salt, session) < its inclusion probability."""
    probability = plan.rate(strata)
    return Draw(uniform(plan.salt, session_id) < probability, probability, session_id)


def uniform(salt: str, session_id: str) -> float:
    """A number in [0, 1) that depends on salt and session alone."""
    digest = hashlib.sha256(f"{salt}\0{session_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / _STEPS


def fitted(plan: SamplingPlan, *, turns_per_hour: Mapping[Stratum | None, float], max_per_hour: float) -> SamplingPlan:
    """The plan with all rates lowered so that the expected draws stay within an hourly cap.

    Lowering the rates beforehand keeps the estimates unbiased; dropping drawn turns at the cap would not.

    Args:
        plan: the plan to lower.
        turns_per_hour: expected turns by stratum; None holds those in no stratum.
        max_per_hour: the cap, above 0.

    Raises:
        ValueError: the cap is not above 0.
    """
    if max_per_hour <= 0:
        raise ValueError("the hourly cap must be above 0")
    expected = sum(turns * plan.rate([] if stratum is None else [stratum]) for stratum, turns in turns_per_hour.items())
    if expected <= max_per_hour:
        return plan
    factor = max_per_hour / expected
    rates = {stratum: rate * factor for stratum, rate in plan.stratum_rates.items()}
    return replace(plan, base_rate=plan.base_rate * factor, stratum_rates=rates)
