"""Who asks what when, and how each caller behaves: drawn from the seed before anything runs."""

import random
from dataclasses import dataclass

from bench.lab.schedule import Planned

MANNERS = {
    "stream": 30,
    "poll": 20,
    "wait": 12,
    "leave": 8,
    "cancel_early": 6,
    "cancel_streaming": 6,
    "twice": 10,
    "twice_at_once": 8,
}
"""How callers behave, by weight.

`stream`, `poll` and `wait` read the answer as events, by asking again, and on the connection that asked. `leave` breaks
its stream off and never comes back. `cancel_early` takes 202 and cancels, `cancel_streaming` cancels after the first
text. `twice` asks again when it has the answer, `twice_at_once` on two connections together, each with the same
Idempotency-Key.
"""
STREAMING = frozenset({"stream", "leave", "cancel_streaming"})
LANES = {"interactive": 0.6, "standard": 0.25, "batch": 0.15}
TENANTS = {"contoso": 0.7, "fabrikam": 0.3}
SESSIONS, SESSION_SHARE = 12, 0.4


@dataclass(frozen=True, slots=True)
class Visit:
    """One caller: a planned turn, how it goes about it, and its conversation."""

    planned: Planned
    manner: str
    session: str | None

    @property
    def key(self) -> str:
        """Its Idempotency-Key, under which it asks again whenever it does not know what became of its question."""
        return f"soak-{self.planned.number}"


def draw(seed: int, seconds: float, rate_per_minute: float, questions: list[str]) -> list[Visit]:
    """All visits in order; each question is unlike all others by a number."""
    rng = random.Random(f"traffic:{seed}")
    shuffled = rng.sample(questions, len(questions))
    found, at = list[Visit](), rng.expovariate(rate_per_minute / 60)
    while at < seconds:
        number = len(found)
        manner = _one(rng, MANNERS)
        planned = Planned(
            number=number,
            phase="soak",
            tenant=_one(rng, TENANTS),
            lane=_one(rng, LANES),
            mode="stream" if manner in STREAMING else "async",
            at=round(at, 3),
            text=f"{shuffled[number % len(shuffled)]} (case {number})",
        )
        session = f"talk-{rng.randrange(SESSIONS)}" if rng.random() < SESSION_SHARE else None
        found.append(Visit(planned, manner, session))
        at += rng.expovariate(rate_per_minute / 60)
    return found


def _one(rng: random.Random, weights: dict[str, float] | dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
