"""Metrics: all instruments, made once, and what each fact adds to them. Metrics are never sampled."""

from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation

from shared.policies.classify import Outcome
from shared.telemetry import names
from shared.telemetry.facts import (
    AttemptEnded,
    BacklogSeen,
    CacheAsked,
    CanaryEnded,
    ContextStepEnded,
    LedgerAsked,
    Limits,
    MessageGivenUp,
    RelaySent,
    RequestAccepted,
    RequestRefused,
    RunStarted,
    TurnDeferred,
    TurnEnded,
    TurnRated,
    TurnReplayed,
    TurnSampled,
    TurnSwept,
)
from shared.telemetry.otel.attributes import Attributes, first_token_seconds
from shared.telemetry.otel.gauges import FreshGauge
from shared.telemetry.prices import Prices, price_for
from shared.turns import Usage

TAKEN, TAKEN_BEFORE = "accepted", "known"
DELIVERED, LOST = "delivered", "lost"


class Metrics:
    """The app's metrics. Attributes never name a turn or a session, so that their number stays small."""

    def __init__(self, meter: Meter, prices: Prices) -> None:
        """Makes all instruments.

        Args:
            meter: Where they belong.
            prices: What tokens cost; models without a price cost nothing.
        """
        self._prices = prices
        self._counters: dict[str, Counter] = {
            one.name: meter.create_counter(one.name, one.unit, one.description) for one in names.COUNTERS
        }
        self._histograms: dict[str, Histogram] = {
            one.name: meter.create_histogram(one.name, one.unit, one.description) for one in names.HISTOGRAMS
        }
        self._meter = meter
        self._gauges = {one.name: FreshGauge(meter, one) for one in names.GAUGES}

    def watch_ledger(self, away: Callable[[], Mapping[str, bool]]) -> None:
        """Reads, whenever metrics are sent, of which deployments the shared account is out of reach here."""

        def read(_options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(int(lost), {names.DEPLOYMENT: name}) for name, lost in away().items()]

        gauge = names.LEDGER_AWAY
        self._meter.create_observable_gauge(gauge.name, [read], gauge.unit, gauge.description)

    def accepted(self, fact: RequestAccepted) -> None:
        """A question was taken."""
        subject = fact.subject
        outcome = TAKEN if fact.fresh else TAKEN_BEFORE
        attributes: Attributes = {names.TENANT: subject.tenant, names.LANE: subject.lane, names.PATH: subject.path}
        self._count(names.REQUESTS, 1, attributes | {names.OUTCOME: outcome})

    def refused(self, fact: RequestRefused) -> None:
        """A question was not taken."""
        attributes: Attributes = {names.TENANT: fact.tenant, names.LANE: fact.lane, names.OUTCOME: "refused"}
        self._count(names.REQUESTS, 1, attributes | {names.CODE: fact.code})

    def started(self, fact: RunStarted) -> None:
        """A run began."""
        if fact.queue_wait_seconds is not None:
            self._measure(names.QUEUE_WAIT, fact.queue_wait_seconds, {names.LANE: fact.subject.lane})

    def attempted(self, fact: AttemptEnded) -> None:
        """An attempt ended."""
        place: Attributes = {names.DEPLOYMENT: fact.deployment, names.REGION: fact.region, names.TIER: fact.tier}
        self._count(names.ATTEMPTS_MADE, 1, place | {names.OUTCOME: fact.outcome, names.CAUSE: fact.cause or ""})
        if fact.status == 429:
            self._count(names.THROTTLED, 1, place | {names.CAUSE: fact.cause or ""})
            if fact.retry_after_seconds is not None:
                self._measure(names.RETRY_AFTER, fact.retry_after_seconds, place)
        if fact.between_tokens_seconds is not None:
            self._measure(names.TOKEN_PAUSE, fact.between_tokens_seconds, place)
        if fact.limits is not None:
            self._limits(fact.limits, place)
        if fact.usage is not None:
            self._used(fact, fact.usage)
        self._conventional(fact)

    def _limits(self, limits: Limits, place: Attributes) -> None:
        remaining = self._gauges[names.REMAINING_QUOTA.name]
        if limits.remaining_tokens is not None:
            remaining.set(limits.remaining_tokens, place | {names.REMAINING_KIND: "tokens"})
        if limits.remaining_requests is not None:
            remaining.set(limits.remaining_requests, place | {names.REMAINING_KIND: "requests"})
        if limits.utilization_percent is not None:
            self._gauges[names.UTILIZATION.name].set(limits.utilization_percent, place)

    def _used(self, fact: AttemptEnded, usage: Usage) -> None:
        who: Attributes = {names.DEPLOYMENT: fact.deployment, names.TENANT: fact.subject.tenant}
        counts = {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cached": usage.cached_tokens,
            "reasoning": usage.reasoning_tokens,
        }
        for kind, count in counts.items():
            if count:
                self._count(names.TOKENS, count, who | {names.TOKEN_TYPE: kind})
        price = price_for(self._prices, model=fact.model, deployment=fact.deployment)
        if price is not None:
            self._count(names.SPEND, price.of(usage), who)

    def _conventional(self, fact: AttemptEnded) -> None:
        """The metrics of the GenAI conventions."""
        attributes: Attributes = {
            names.GEN_AI_OPERATION_NAME: names.OPERATION_CHAT,
            names.GEN_AI_PROVIDER_NAME: names.PROVIDER_NAME,
            names.GEN_AI_REQUEST_MODEL: fact.model,
            names.SERVER_ADDRESS: fact.server[0],
        }
        if fact.usage is not None:
            for kind, count in (("input", fact.usage.input_tokens), ("output", fact.usage.output_tokens)):
                self._measure(names.CLIENT_TOKENS, count, attributes | {names.GEN_AI_TOKEN_TYPE: kind})
        if fact.first_token_seconds is not None:
            self._measure(names.CLIENT_FIRST_CHUNK, fact.first_token_seconds, attributes)
        if fact.outcome != Outcome.SUCCESS.value:
            attributes = attributes | {names.ERROR_TYPE: fact.cause or fact.outcome}
        self._measure(names.CLIENT_DURATION, fact.duration_seconds, attributes)

    def deferred(self, fact: TurnDeferred) -> None:
        """A turn was put to sleep."""
        why = "fault" if fact.faulted else "capacity"
        attributes: Attributes = {names.LANE: fact.subject.lane, names.TENANT: fact.subject.tenant, names.CAUSE: why}
        self._count(names.DEFERRED, 1, attributes)
        self._measure(names.DEFERRAL_WAIT, fact.seconds, {names.LANE: fact.subject.lane})

    def ended(self, fact: TurnEnded) -> None:
        """A turn is over."""
        subject = fact.subject
        attributes: Attributes = {
            names.OUTCOME: fact.state,
            names.LANE: subject.lane,
            names.PATH: subject.path,
            names.TENANT: subject.tenant,
        }
        if fact.code is not None:
            attributes[names.CODE] = fact.code
        self._count(names.TURNS, 1, attributes)
        route: Attributes = {names.LANE: subject.lane, names.PATH: subject.path}
        self._measure(names.TURN_DURATION, fact.total_seconds, route | {names.OUTCOME: fact.state})
        first = first_token_seconds(fact.timeline)
        if first is not None:
            self._measure(names.TURN_FIRST_TOKEN, first, route)

    def given_up(self, fact: MessageGivenUp) -> None:
        """A message will end as a dead letter."""
        self._count(names.DEAD_LETTERS, 1, {names.LANE: fact.subject.lane, names.TENANT: fact.subject.tenant})

    def replayed(self, fact: TurnReplayed) -> None:
        """A dead letter was replayed."""
        self._count(names.REPLAYS, 1, {names.LANE: fact.lane})

    def rated(self, fact: TurnRated) -> None:
        """A caller gave an opinion."""
        attributes: Attributes = {names.LANE: fact.lane, names.TENANT: fact.tenant, names.RATING: fact.rating}
        self._count(names.RATINGS, 1, attributes)

    def gathered(self, fact: ContextStepEnded) -> None:
        """A context step is over."""
        self._measure(names.STEP_DURATION, fact.seconds, {names.STEP: fact.step})
        if fact.dropped is not None:
            self._count(names.STEPS_DROPPED, 1, {names.STEP: fact.step, names.CAUSE: fact.dropped})

    def relayed(self, fact: RelaySent) -> None:
        """News was sent or lost."""
        attributes: Attributes = {names.OUTCOME: DELIVERED if fact.delivered else LOST}
        self._count(names.RELAY_SENDS, 1, attributes)
        self._measure(names.RELAY_DURATION, fact.seconds, attributes)

    def swept(self, fact: TurnSwept) -> None:
        """The sweeper dealt with a turn."""
        self._count(names.SWEPT, 1, {names.LANE: fact.lane, names.OUTCOME: fact.outcome})

    def waiting(self, fact: BacklogSeen) -> None:
        """A lane was looked at. Histograms, because a gauge would be sent again by an instance that looked once."""
        lane: Attributes = {names.LANE: fact.lane}
        self._measure(names.BACKLOG_TURNS, fact.turns, lane)
        self._measure(names.BACKLOG_DUE, fact.due, lane)
        self._measure(names.BACKLOG_AGE, fact.oldest_seconds, lane)
        self._measure(names.BACKLOG_DEADLINE, fact.deadline_used, lane)

    def probed(self, fact: CanaryEnded) -> None:
        """A canary is over."""
        place: Attributes = {names.DEPLOYMENT: fact.deployment, names.REGION: fact.region, names.TIER: fact.tier}
        self._count(names.CANARIES, 1, place | {names.OUTCOME: fact.outcome, names.CAUSE: fact.cause or ""})
        if fact.first_token_seconds is not None:
            self._measure(names.CANARY_FIRST_TOKEN, fact.first_token_seconds, place)

    def shared(self, fact: LedgerAsked) -> None:
        """The ledger was asked."""
        what: Attributes = {names.LEDGER_OPERATION: fact.operation, names.OUTCOME: fact.outcome}
        self._count(names.LEDGER_OPERATIONS, 1, what | {names.LEDGER_ITEM: fact.item})
        self._measure(names.LEDGER_DURATION, fact.seconds, what)

    def looked_up(self, fact: CacheAsked) -> None:
        """The cache was asked."""
        what: Attributes = {names.TENANT: fact.tenant, names.CACHE: fact.kind, names.CAUSE: fact.reason}
        self._count(names.CACHE_LOOKUPS, 1, what)

    def sampled(self, fact: TurnSampled) -> None:  # noqa: ARG002  a fact without details
        """A turn was put up for evaluation."""
        self._count(names.SAMPLED, 1, {})

    def _count(self, instrument: names.Instrument, amount: float, attributes: Attributes) -> None:
        self._counters[instrument.name].add(amount, attributes)

    def _measure(self, instrument: names.Instrument, value: float, attributes: Attributes) -> None:
        self._histograms[instrument.name].record(value, attributes)
