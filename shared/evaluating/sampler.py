"""Picks production turns for evaluation once they are over. The chat path only drops a name into a bag.

Nothing of `shared.evaluation` is imported here at load time: an instance that samples nothing never loads it.
"""

import asyncio
import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import ContentFiltered, Unavailable
from shared.evaluating.messages import EvaluationMessage, Work
from shared.evaluating.ports import EvaluationQueue, MetricsStore
from shared.evaluating.runs import SESSION_PREFIX
from shared.ports import Clock
from shared.telemetry import log
from shared.telemetry.facts import TurnSampled
from shared.telemetry.observer import SILENT, Observer
from shared.turns import State, Turn

if TYPE_CHECKING:
    from shared.evaluation.sampling import SamplingPlan

PLAN_DAY, PLAN_ID = "current", "sampling"
"""Where the rates are kept that the hourly cap allows."""
PLAN_SECONDS = 60.0
NEW_SECONDS = 2 * 86_400.0
"""How long a prompt version or a deployment is new, and looked at more often."""
SALT = "spillway"
SEND_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Ended:
    turn_id: str
    session_id: str
    created_at: float
    strata: tuple[str, ...]
    deployment: str = ""
    cached: str | None = None


class TurnSampler:
    """Draws by a hash of the session, so that the same turn is always drawn or never, on whichever instance."""

    def __init__(
        self,
        *,
        share: float,
        queue: EvaluationQueue,
        metrics: MetricsStore,
        clock: Clock,
        prompt_version: str,
        observer: Observer = SILENT,
    ) -> None:
        """Takes what it works with; `share` of all sessions is drawn, 0 draws none."""
        self._share, self._queue, self._metrics, self._clock = share, queue, metrics, clock
        self._prompt_version, self._observer = prompt_version, observer
        self._rates: Mapping[str, Any] | None = None
        self._rates_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def ended(self, turn: Turn, state: State, fields: Mapping[str, Any]) -> None:
        """Takes note of a turn that is over and returns at once; the work is done after whatever is under way."""
        if self._share > 0 and not turn.session_id.startswith(SESSION_PREFIX):
            ended = _ended(turn, state, fields.get("error"), fields.get("deployment"), fields.get("cached"))
            asyncio.get_running_loop().call_soon(self._begin, ended)

    def rated(self, turn: Turn, rating: str) -> None:
        """Takes note of a caller's opinion; a turn that was found bad is evaluated."""
        if self._share > 0 and rating == "down" and turn.state.terminal:
            ended = _ended(turn, turn.state, turn.error, turn.deployment, turn.cached)
            self._begin(dataclasses.replace(ended, strata=(*ended.strata, "negative_feedback")))

    def _begin(self, ended: _Ended) -> None:
        task = asyncio.create_task(self._consider(ended))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.failure("sample_turn", fault)

    async def _consider(self, ended: _Ended) -> None:
        from shared.evaluation.sampling import Stratum, draw  # noqa: PLC0415  only instances that sample load it

        plan = await self._plan()
        if is_new(self._rates, (self._prompt_version, ended.deployment), self._clock.now()):
            ended = dataclasses.replace(ended, strata=(Stratum.NEW_VERSION.value, *ended.strata))
        drawn = draw(plan, ended.session_id, [Stratum(name) for name in ended.strata])
        if not drawn.drawn:
            return
        hour = written_hour(ended.created_at)
        details = {
            "probability": drawn.probability,
            "strata": list(ended.strata),
            "prompt_version": self._prompt_version,
            "hour": hour,
            "cached": ended.cached,
        }
        # A turn that is drawn again, for its feedback, is another message of the same turn.
        copy = "f" if "negative_feedback" in ended.strata else ""
        run = production_run(hour[:10])
        await self._send(EvaluationMessage(Work.TURN, run, ended.turn_id, self._clock.now(), copy, details))

    async def _send(self, message: EvaluationMessage) -> None:
        for attempt in range(SEND_TRIES):
            try:
                await self._queue.send(message)
            except Unavailable:
                await self._clock.sleep(2.0**attempt)
            else:
                self._observer.tell(TurnSampled())
                return
        log.warning("miss_sample", turn_id=message.subject)

    async def _plan(self) -> "SamplingPlan":
        now = self._clock.monotonic()
        if now >= self._rates_until:
            self._rates_until = now + PLAN_SECONDS
            try:
                self._rates = await self._metrics.get(PLAN_DAY, PLAN_ID)
            except Unavailable:
                log.warning("miss_sampling_plan")
        return plan_of(self._share, self._rates)

    async def close(self) -> None:
        """Waits for what is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


def production_run(day: str) -> str:
    """The run that the samples of a day belong to."""
    return f"production-{day}"


def written_hour(at: float) -> str:
    """An hour as hours are written in the store; its first ten characters are the day."""
    return time.strftime("%Y-%m-%dT%H", time.gmtime(at))


def base_plan(share: float) -> "SamplingPlan":
    """The plan when nothing is capped: strata keep their rates, or the share when that is higher."""
    from shared.evaluation.sampling import SamplingPlan  # noqa: PLC0415  only instances that sample load it

    return SamplingPlan(SALT, base_rate=share)


def plan_of(share: float, rates: Mapping[str, Any] | None) -> "SamplingPlan":
    """The plan in force: the base plan, or what the roll-up lowered it to so that the cap is kept."""
    from shared.evaluation.sampling import SamplingPlan, Stratum  # noqa: PLC0415  only instances that sample load it

    if rates is None or rates["share"] != share:
        return base_plan(share)
    strata: dict[Stratum, float] = {Stratum(name): rate for name, rate in rates["stratum_rates"].items()}
    return SamplingPlan(SALT, base_rate=rates["base_rate"], stratum_rates=strata)


def is_new(rates: Mapping[str, Any] | None, versions: Sequence[str], now: float) -> bool:
    """Whether one of these prompt versions or deployments was first seen a short while ago, or not yet at all.

    What was there when sampling began is not new: there is nothing to compare it with.
    """
    seen: Mapping[str, float] = (rates or {}).get("first_seen") or {}
    return bool(seen) and any(name and now - seen.get(name, now) < NEW_SECONDS for name in versions)


def _ended(
    turn: Turn,
    state: State,
    error: Mapping[str, Any] | None,
    deployment: str | None,
    cached: Mapping[str, Any] | None,
) -> _Ended:
    strata: Sequence[str] = ()
    if (error or {}).get("code") == ContentFiltered.code:
        strata = ("blocked",)
    elif state is not State.SUCCEEDED:
        strata = ("error",)
    return _Ended(
        turn.turn_id, turn.session_id, turn.created_at, tuple(strata), deployment or "", (cached or {}).get("kind")
    )
