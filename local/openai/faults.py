"""Faults that are switched on and off while the service runs."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local.openai.config import HEADER_VARIANTS, RESET_FORMATS, Deployment
from local.openai.fields import FieldError, Fields

REFUSALS = ("quota", "capacity", "temporary_cut", "oversized")
FAILURES = ("server_error", "content_filter", "refuse_connection_like_503")
DURING = ("content_filter_completion", "slow_first_token", "stall", "cut", "slow_everything")
KINDS = (*REFUSALS, *FAILURES, *DURING)
MOST_FAULTS = 1_000
_DAY_SECONDS = 86_400.0


@dataclass(slots=True)
class Fault:
    """One fault as it was asked for, and how often it struck.

    Attributes:
        deployment: `name` or `account/name`; None strikes all of them.
        remaining: How many more calls it strikes, None without bound.
        expires_at: Monotonic time of its end, infinity without one.
        forced: For a temporary cut: it turns calls away outright besides lowering the limit.
        limit: Which limit a refusal says is used up.
    """

    id: str
    kind: str
    deployment: str | None
    remaining: int | None
    expires_at: float
    probability: float
    forced: bool
    status: int
    retry_after_ms: float | None
    headers: str | None
    reset_format: str | None
    delay_seconds: float | None
    after_tokens: int
    factor: float
    limit: str = "tokens"
    struck: int = 0

    def describe(self, now: float) -> dict[str, Any]:
        """The fault as the control plane shows it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "deployment": self.deployment,
            "count": self.remaining,
            "seconds": None if math.isinf(self.expires_at) else self.expires_at - now,
            "probability": self.probability,
            "status": self.status,
            "retry_after_ms": self.retry_after_ms,
            "headers": self.headers,
            "reset_format": self.reset_format,
            "delay_seconds": self.delay_seconds,
            "after_tokens": self.after_tokens,
            "factor": self.factor,
            "limit": self.limit,
            "struck": self.struck,
        }


@dataclass(slots=True)
class Effects:
    """What the faults do to one call.

    Attributes:
        refusal: The fault that ends the call before the model sees it.
        limit_share: Share of the configured token limit that is in force.
        slow_factor: Multiplies every latency.
        first_token_delay_seconds: Added before the first token.
        during: The faults that strike while the answer is sent, by kind.
    """

    refusal: Fault | None = None
    limit_share: float = 1.0
    slow_factor: float = 1.0
    first_token_delay_seconds: float = 0.0
    during: dict[str, Fault] = field(default_factory=dict)


class Faults:
    """All faults that are on."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}:faults")  # noqa: S311 - probabilities need repeatable draws
        self._faults: dict[str, Fault] = {}
        self._made = 0

    def add(self, wish: Any, now: float) -> Fault:
        """Switches a fault on.

        Raises:
            FieldError: The wish is wrong; its path says where.
        """
        self._expire(now)
        if len(self._faults) >= MOST_FAULTS:
            raise FieldError("", f"there are {MOST_FAULTS} faults on already: remove some with DELETE /_sim/faults")
        fault = _read(Fields(wish), f"fault-{self._made + 1}", now)
        self._made += 1
        self._faults[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> bool:
        """Switches one fault off; says whether there was one."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> int:
        """Switches all faults off and says how many there were."""
        count = len(self._faults)
        self._faults.clear()
        return count

    def active(self, now: float) -> list[Fault]:
        """The faults that are on, oldest first."""
        self._expire(now)
        return list(self._faults.values())

    def limit_share(self, deployment: Deployment, now: float) -> float:
        """The share of the configured token limit that temporary cuts leave."""
        cuts = (fault.factor for fault in self._of(deployment, now) if fault.kind == "temporary_cut")
        return min(cuts, default=1.0)

    def effects(self, deployment: Deployment, now: float) -> Effects:
        """Draws what happens to one call that arrives now, and counts it."""
        effects = Effects()
        if not self._faults:
            return effects
        effects.limit_share = self.limit_share(deployment, now)
        for fault in self._of(deployment, now):
            refuses = fault.kind in REFUSALS or fault.kind in FAILURES
            if (refuses and (effects.refusal or not fault.forced)) or not self._draw(fault):
                continue
            if refuses:
                effects.refusal = fault
            elif deployment.kind == "chat" or fault.kind != "content_filter_completion":
                _apply(fault, effects)
            else:
                continue
            self._count(fault)
        return effects

    def _of(self, deployment: Deployment, now: float) -> Iterator[Fault]:
        self._expire(now)
        for fault in list(self._faults.values()):
            if fault.deployment is None or deployment.answers_to(fault.deployment):
                yield fault

    def _draw(self, fault: Fault) -> bool:
        return fault.probability >= 1.0 or self._random.random() < fault.probability

    def _count(self, fault: Fault) -> None:
        fault.struck += 1
        if fault.remaining is not None:
            fault.remaining -= 1
            if fault.remaining == 0:
                del self._faults[fault.id]

    def _expire(self, now: float) -> None:
        for fault in [fault for fault in self._faults.values() if fault.expires_at <= now]:
            del self._faults[fault.id]


def _apply(fault: Fault, effects: Effects) -> None:
    if fault.kind == "slow_everything":
        effects.slow_factor *= fault.factor
    elif fault.kind == "slow_first_token":
        effects.first_token_delay_seconds += fault.delay_seconds or 0.0
    else:
        effects.during.setdefault(fault.kind, fault)


def _read(fields: Fields, fault_id: str, now: float) -> Fault:
    kind = fields.text("kind", choices=KINDS)
    seconds = fields.number("seconds", low=0.001, high=_DAY_SECONDS * 30) if fields.has("seconds") else math.inf
    counted = fields.has("count") or fields.has("probability")
    delay = fields.number("delay_seconds", low=0, high=_DAY_SECONDS) if fields.has("delay_seconds") else None
    if delay is None and kind == "slow_first_token":
        delay = 5.0
    fault = Fault(
        id=fault_id,
        kind=kind,
        deployment=fields.text("deployment") if fields.has("deployment") else None,
        remaining=fields.integer("count", low=1, high=10**9) if fields.has("count") else None,
        expires_at=now + seconds,
        probability=fields.number("probability", 1.0, low=0, high=1),
        forced=kind != "temporary_cut" or counted,
        status=fields.integer("status", 500, low=500, high=599),
        retry_after_ms=fields.number("retry_after_ms", low=0, high=_DAY_SECONDS * 1e3)
        if fields.has("retry_after_ms")
        else None,
        headers=fields.text("headers", choices=HEADER_VARIANTS) if fields.has("headers") else None,
        reset_format=fields.text("reset_format", choices=RESET_FORMATS) if fields.has("reset_format") else None,
        delay_seconds=delay,
        after_tokens=fields.integer("after_tokens", 0, low=0, high=10**7),
        limit=fields.text("limit", "tokens", choices=("tokens", "requests")),
        factor=fields.number("factor", 0.5 if kind == "temporary_cut" else 4.0, low=0.001, high=1_000),
    )
    fields.done()
    if kind == "temporary_cut" and fault.factor >= 1:
        raise FieldError("factor", "must be below 1 for a temporary cut")
    return fault
