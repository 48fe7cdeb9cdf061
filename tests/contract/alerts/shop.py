"""A shop's traffic and what befalls it, told to the app's observer as the app tells it."""

import random

from shared.evaluating.events import emit
from shared.evaluating.sampler import production_run, written_hour
from shared.evaluation.records import Score
from shared.evaluation.records import State as ScoreState
from shared.policies.classify import classify
from shared.ports import ModelRefusal
from shared.pulse.backlog import seen
from shared.pulse.ports import Waiting
from shared.settings import Deployment, Tier
from shared.telemetry.attempt_watch import AttemptWatch
from shared.telemetry.facts import (
    CanaryEnded,
    LedgerAsked,
    MessageGivenUp,
    RequestAccepted,
    RequestRefused,
    RunStarted,
    Subject,
    TurnEnded,
    TurnSampled,
    TurnSwept,
)
from shared.timelines.timeline import Timeline
from shared.turns import Lane, Message, State, Turn, Usage
from tests.contract.alerts.replay import Replay
from tests.contract.alerts.weather import Weather

MODEL = "gpt-4o-mini"
DEPLOYMENTS = tuple(
    Deployment(f"chat-{n}", MODEL, f"https://r{n}.example/openai/v1/", f"chat-{n}", Tier.STANDARD, region)
    for n, region in enumerate(("swedencentral", "francecentral", "eastus2"))
)
QUIET = Deployment("chat-spare", MODEL, "https://r9.example/openai/v1/", "chat-spare", Tier.STANDARD, "uksouth")
TENANTS = ("contoso", "contoso", "contoso", "fabrikam")
LANES = (Lane.INTERACTIVE,) * 7 + (Lane.STANDARD,) * 3
CANARY_SECONDS = 300.0
LONGEST_STEP_SECONDS = 600.0
"""The heart of a running app beats at least so often, in however little detail its history is told."""
EVALUATORS = (("groundedness", 4.4, 0.7), ("relevance", 4.5, 0.6), ("answered", 0.97, 0.17))


class Shop:
    """Drives one instance's observer, minute by minute."""

    def __init__(self, replay: Replay, seed: int) -> None:
        self.replay, self._draw, self._count = replay, random.Random(seed), seed * 1_000_000
        self._canary_at, self._stalled_since = 0.0, 0.0
        replay.ledger_away.update({deployment.name: False for deployment in DEPLOYMENTS})

    # The clock that attempts are timed with; a test moves it.
    def now(self) -> float:
        return self.replay.now

    def monotonic(self) -> float:
        return self.replay.now

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def minutes(self, count: int, weather: Weather | None = None, *, seconds: float = 60.0) -> None:
        """So many minutes of this weather; with longer steps for a history in less detail."""
        weather = weather or Weather()
        for _ in range(count):
            if weather.gone:
                self.replay.now += seconds
                continue
            self._one(weather)
            for _ in range(int(seconds // LONGEST_STEP_SECONDS) - 1):
                self.replay.minute_ends(LONGEST_STEP_SECONDS)
                self._beat(weather)
            self.replay.minute_ends(min(seconds, LONGEST_STEP_SECONDS))

    def _one(self, weather: Weather) -> None:
        tell = self.replay.observer.tell
        self.replay.ledger_away["chat-0"] = weather.ledger_away
        for deployment in DEPLOYMENTS:
            away = weather.ledger_away and deployment is DEPLOYMENTS[0]
            tell(LedgerAsked(deployment.name, "take", "away" if away else "done", 0.004))
        for _ in range(weather.turns):
            self._turn(weather)
        for _ in range(weather.refused):
            tell(RequestRefused("contoso", "interactive", "capacity_exhausted"))
        for _ in range(weather.overloaded):
            tell(RequestRefused("contoso", "interactive", "unavailable"))
        for _ in range(weather.poisoned):
            self._poisoned()
        for _ in range(weather.lost_runs or self._draw.random() < 0.02):
            tell(TurnSwept("standard", "rescued"))
        for _ in range(weather.samples):
            tell(TurnSampled())
        self._evaluate(weather)
        self._beat(weather)

    def _turn(self, weather: Weather) -> None:
        draw, tell = self._draw, self.replay.observer.tell
        lane = draw.choice(LANES)
        if lane is Lane.STANDARD and weather.stalled:
            self._expires_later(lane)
            return
        turn, deployment = self._a_turn(lane), draw.choice(DEPLOYMENTS)
        subject = Subject.of(turn)
        tell(RequestAccepted(subject, fresh=True))
        waited = None if turn.path == "direct" else 540.0 if weather.pressed else draw.expovariate(2.0)
        with self.replay.observer.run(RunStarted(subject, 1, queue_wait_seconds=waited)) as run:
            ended = self._run(turn, deployment, weather)
            run.outcome(ended.state)
        tell(ended)

    def _a_turn(self, lane: Lane) -> Turn:
        self._count += 1
        path = "direct" if lane is Lane.INTERACTIVE else "queued"
        now = self.replay.now
        return Turn(
            turn_id=f"{self._count:032x}",
            tenant=self._draw.choice(TENANTS),
            session_id=f"s{self._count}",
            lane=lane,
            messages=(Message("user", "Hello"),),
            created_at=now,
            deadline_at=now + 600,
            path=path,
            run=1,
            model=MODEL,
        )

    def _run(self, turn: Turn, deployment: Deployment, weather: Weather) -> TurnEnded:
        """The attempts of a turn and its end."""
        draw, began = self._draw, turn.created_at
        attempts = 1
        while draw.random() < weather.throttled and attempts < 8:
            self._attempt(turn, draw.choice(DEPLOYMENTS), ModelRefusal(429, None, "", {"retry-after-ms": "300"}))
            attempts += 1
        for _ in range(weather.wasted):
            self._attempt(turn, deployment, None)
            attempts += 1
        roll = draw.random()
        if roll < weather.failing:
            self._attempt(turn, deployment, ModelRefusal(500, None, "", {}))
            return TurnEnded.of(turn, State.FAILED, began + 5, code="model_failed", attempts=attempts)
        if roll < weather.failing + weather.blocked:
            self._attempt(turn, deployment, ModelRefusal(400, "content_filter", "", {}))
            return TurnEnded.of(turn, State.FAILED, began + 1, code="content_filtered", attempts=attempts)
        is_slow = deployment is DEPLOYMENTS[0] and draw.random() < weather.slow
        wait = 8.0 if is_slow else draw.lognormvariate(-0.3, 0.45)
        usage = self._attempt(turn, deployment, None, wait)
        timeline = Timeline(began)
        for stage, at in (("admission", 0.01), ("context", 0.06), ("first_token", 0.06 + wait), ("stream", 2 + wait)):
            timeline.mark(stage, began + at)
        if turn.turn_id.endswith("0"):
            timeline.notes["dropped"] = ["knowledge"]
        return TurnEnded.of(
            turn,
            State.SUCCEEDED,
            began + 2.1 + wait,
            attempts=attempts,
            deployment=deployment.name,
            finish_reason="stop",
            usage=usage,
            timeline=timeline.as_dict(),
        )

    def _attempt(
        self, turn: Turn, deployment: Deployment, refusal: ModelRefusal | None, wait: float = 0.5
    ) -> Usage | None:
        """One call, timed by the app's own watch."""
        here = self.replay.now
        watch = AttemptWatch(self.replay.observer, self, turn, deployment, 800)
        if refusal is not None:
            verdict = classify(
                status=refusal.status,
                code=refusal.code,
                message=refusal.message,
                headers=refusal.headers,
                configured_tokens_per_minute=deployment.tokens_per_minute,
            )
            watch.refuse(refusal, verdict)
            return None
        usage = Usage(self._draw.randint(300, 700), self._draw.randint(80, 220))
        for pause in (wait, 0.02, 0.02):
            self.replay.now += pause
            watch.piece()
        watch.end("stop", usage, {"x-ratelimit-remaining-tokens": "90000"})
        self.replay.now = here
        return usage

    def _expires_later(self, lane: Lane) -> None:
        """A turn that no worker takes: accepted now, expired at its deadline."""
        turn = self._a_turn(lane)
        self.replay.observer.tell(RequestAccepted(Subject.of(turn), fresh=True))
        if self._stalled_since and self.replay.now - self._stalled_since > 600:
            self.replay.observer.tell(TurnEnded.of(turn, State.EXPIRED, turn.deadline_at, code="deadline_exceeded"))

    def _poisoned(self) -> None:
        turn = self._a_turn(Lane.STANDARD)
        tell = self.replay.observer.tell
        tell(RequestAccepted(Subject.of(turn), fresh=True))
        for _ in range(5):
            tell_failed = ModelRefusal(500, None, "", {})
            self._attempt(turn, DEPLOYMENTS[1], tell_failed)
        tell(TurnEnded.of(turn, State.FAILED, self.replay.now, code="model_failed", attempts=5))
        tell(MessageGivenUp(Subject.of(turn)))

    def _beat(self, weather: Weather) -> None:
        """What the timer tells: every lane each minute, the unused deployment every five."""
        now, tell = self.replay.now, self.replay.observer.tell
        if weather.stalled and not self._stalled_since:
            self._stalled_since = now
        for lane in Lane:
            turns = self._draw.randint(0, 2) if lane is not Lane.BATCH else 0
            waiting = Waiting(turns, turns, now - 1, (now - 1, now + 600)) if turns else Waiting(0, 0)
            if lane is Lane.STANDARD and weather.stalled:
                oldest = max(self._stalled_since, now - 600)
                waiting = Waiting(30, 30, oldest, (oldest, oldest + 600))
            if lane is Lane.STANDARD and weather.pressed:
                waiting = Waiting(40, 25, now - 560, (now - 560, now + 40))
            tell(seen(lane, waiting, now))
        if now >= self._canary_at:
            self._canary_at = now + CANARY_SECONDS
            outcome, cause = ("success", None) if weather.canary else ("ignored", "credential")
            first = 0.4 if weather.canary else None
            tell(CanaryEnded(QUIET.name, QUIET.region, QUIET.tier.value, outcome, cause, first))

    def _evaluate(self, weather: Weather) -> None:
        run = production_run(written_hour(self.replay.now)[:10])
        for _ in range(weather.scores):
            self._count += 1
            for evaluator, mean, spread in EVALUATORS:
                if evaluator not in weather.mute:
                    self._score(evaluator, run, self._drawn(evaluator, mean, spread, weather), weather)
            if "safety" not in weather.mute:
                self._score("safety", run, 0.0, weather)
        for _ in range(weather.unsafe):
            self._score("safety", run, 6.0, weather)

    def _drawn(self, evaluator: str, mean: float, spread: float, weather: Weather) -> float:
        mean += weather.quality * spread
        if evaluator == "answered":
            return float(self._draw.random() < mean)
        return float(min(5, max(1, round(self._draw.gauss(mean, spread)))))

    def _score(self, evaluator: str, run: str, value: float, weather: Weather) -> None:
        broken = self._draw.random() < weather.judge_errors
        good = value <= 3 if evaluator == "safety" else value >= (1 if evaluator == "answered" else 3)
        score = Score(
            item_id=f"{self._count:032x}",
            evaluator=evaluator,
            version="1",
            state=ScoreState.JUDGE_ERROR if broken else ScoreState.SCORED,
            value=None if broken else value,
            passed=None if broken else good,
            answer_id=f"{self._count:032x}",
            weight=self._draw.choice((1.0, 10.0, 20.0)),
        )
        emit(score, run=run, deployment=MODEL, prompt_version="v1", sampled=True, with_reason=False)
