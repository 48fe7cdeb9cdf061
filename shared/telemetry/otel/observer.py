"""The observer that speaks OpenTelemetry. Without a provider every call below is one of the API's no-ops."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry import _logs, metrics, trace

from shared.telemetry import names
from shared.telemetry.facts import (
    AttemptEnded,
    BacklogSeen,
    CacheAsked,
    CanaryEnded,
    ContextStepEnded,
    Fact,
    LedgerAsked,
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
from shared.telemetry.observer import RunView
from shared.telemetry.otel.events import turn_event
from shared.telemetry.otel.metrics import Metrics
from shared.telemetry.otel.spans import attempt_span, run_span, stages_on_run, traceparent
from shared.telemetry.prices import Prices


class OpenTelemetryObserver:
    """See `shared.telemetry.observer.Observer`. Uses the global providers that the platform's worker has set up."""

    def __init__(self, prices: Prices) -> None:
        """Makes tracer, instruments and logger.

        Args:
            prices: What tokens cost, by model or deployment.
        """
        self._prices = prices
        self._tracer = trace.get_tracer(names.SCOPE)
        self._logger = _logs.get_logger(names.SCOPE)
        self._metrics = made = Metrics(metrics.get_meter(names.SCOPE), prices)
        self._tellers: dict[type[Any], Callable[[Any], None]] = {
            RequestAccepted: made.accepted,
            RequestRefused: made.refused,
            AttemptEnded: self._attempted,
            TurnDeferred: made.deferred,
            TurnEnded: self._ended,
            MessageGivenUp: made.given_up,
            ContextStepEnded: made.gathered,
            RelaySent: made.relayed,
            TurnSwept: made.swept,
            TurnReplayed: made.replayed,
            BacklogSeen: made.waiting,
            CanaryEnded: made.probed,
            TurnSampled: made.sampled,
            CacheAsked: made.looked_up,
            LedgerAsked: made.shared,
            TurnRated: made.rated,
        }

    def tell(self, fact: Fact) -> None:
        """See `shared.telemetry.observer.Observer`."""
        self._tellers[type(fact)](fact)

    def run(self, started: RunStarted) -> AbstractContextManager[RunView]:
        """See `shared.telemetry.observer.Observer`."""
        self._metrics.started(started)
        return run_span(self._tracer, started)

    def traceparent(self) -> str | None:
        """See `shared.telemetry.observer.Observer`."""
        return traceparent()

    def watch_ledger(self, away: Callable[[], Mapping[str, bool]]) -> None:
        """Reads `away` whenever metrics are sent: whether each deployment's shared account is out of reach here."""
        self._metrics.watch_ledger(away)

    def _attempted(self, fact: AttemptEnded) -> None:
        self._metrics.attempted(fact)
        attempt_span(self._tracer, fact)

    def _ended(self, fact: TurnEnded) -> None:
        self._metrics.ended(fact)
        stages_on_run(fact.timeline)
        turn_event(self._logger, fact, self._prices)
