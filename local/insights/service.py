"""What the routes share, built once when the process starts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local.insights.intake import BodyBudget
from local.insights.queries import QueryRunner
from local.insights.store import Retention, Store
from local.insights.writer import Writer

_BODIES_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost."""

    body_bytes: int
    query_seconds: float
    query_rows: int


@dataclass(slots=True)
class Counts:
    """What was asked of ingestion so far."""

    requests: int = 0
    refused_requests: int = 0
    envelopes_received: int = 0
    envelopes_accepted: int = 0
    live_pings: int = 0


class Service:
    """The store with its writer, its query threads and its counters."""

    def __init__(
        self, store: Store, *, retention: Retention, limits: Limits, instrumentation_key: str | None = None
    ) -> None:
        """Puts the parts together and starts writing."""
        self.store, self.limits, self.instrumentation_key = store, limits, instrumentation_key
        self.writer = Writer(store, retention)
        self.queries = QueryRunner(store, seconds_max=limits.query_seconds, rows_max=limits.query_rows)
        self.decoding = ThreadPoolExecutor(2, "insights-decode")
        self.bodies = BodyBudget(max(_BODIES_BYTES, 2 * limits.body_bytes))
        self.counts = Counts()
        self.writer.start()

    def close(self) -> None:
        """Stores what was accepted and lets go of everything."""
        self.decoding.shutdown()
        self.queries.close()
        self.writer.stop()
        self.store.close()
