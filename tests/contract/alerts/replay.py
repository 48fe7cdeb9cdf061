"""The app's own telemetry under a clock that the test holds, recorded as Azure Monitor's exporters would send it.

The app's observer, OpenTelemetry's SDK and the exporters are real; only the time is not now, and what the exporters
would send is kept, so that it can be sent to a real ingestion endpoint as often and on as many days as it is needed.
"""

import json
import logging
import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unittest import mock

import httpx2
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorMetricExporter
from azure.monitor.opentelemetry.exporter._generated.exporter._utils.model_base import SdkJSONEncoder
from azure.monitor.opentelemetry.exporter.export._base import ExportResult
from opentelemetry import _logs, metrics
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from shared.telemetry.log import LOGGER_NAME
from shared.telemetry.otel.observer import OpenTelemetryObserver
from shared.telemetry.prices import Price

PRICES: Mapping[str, Price] = {"gpt-4o-mini": Price(150.0, 600.0, 75.0)}
"""A thousandfold of a real price, so that a few turns cost something."""
CONNECTION_STRING = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:1/"
TIME = re.compile(r'"time": "(\d{4}-\d\d-\d\d)T')
BATCH_CHARACTERS = 4_000_000


class _Kept:
    """What an exporter would send, in the JSON of its client."""

    bodies: list[str]

    def _transmit(self, envelopes: list[Any]) -> ExportResult:
        if envelopes:
            self.bodies.append(json.dumps(envelopes, cls=SdkJSONEncoder, exclude_readonly=True)[1:-1])
        return ExportResult.SUCCESS

    def _handle_transmit_from_storage(self, envelopes: list[Any], result: ExportResult) -> None:
        """Nothing is stored on disk."""


class _MetricExporter(_Kept, AzureMonitorMetricExporter):
    pass


class _LogExporter(_Kept, AzureMonitorLogExporter):
    pass


@cache
def _exporters() -> tuple[_MetricExporter, _LogExporter]:
    """Made once: each loads the machine's certificates, although nothing is ever sent by it."""
    options: dict[str, Any] = {"connection_string": CONNECTION_STRING, "disable_offline_storage": True}
    return _MetricExporter(**options), _LogExporter(**options)


@dataclass
class Replay:
    """One instance of the app that lives at `now`, in seconds since 1970, and what it would have sent so far."""

    now: float
    instance: str = "instance-0"
    ledger_away: dict[str, bool] = field(default_factory=dict)
    bodies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        resource = Resource({"service.name": "spillway", "service.instance.id": self.instance})
        metrics_out, logs_out = _exporters()
        metrics_out.bodies = logs_out.bodies = self.bodies
        # Without an interval there is no thread; a minute ends when the test says so.
        self._reader = PeriodicExportingMetricReader(metrics_out, export_interval_millis=math.inf)
        self._meters = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        self._logs = LoggerProvider(resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(SimpleLogRecordProcessor(logs_out))
        self._handler = LoggingHandler(logger_provider=self._logs)
        with (
            mock.patch.object(metrics, "get_meter", self._meters.get_meter),
            mock.patch.object(_logs, "get_logger", self._logs.get_logger),
        ):
            self.observer = OpenTelemetryObserver(PRICES)
        self.observer.watch_ledger(lambda: self.ledger_away)

    @contextmanager
    def living(self) -> Iterator["Replay"]:
        """Time is the replay's inside."""
        logger, factory = logging.getLogger(LOGGER_NAME), logging.getLogRecordFactory()
        level, propagates = logger.level, logger.propagate

        def record(*arguments: Any, **words: Any) -> logging.LogRecord:
            made = factory(*arguments, **words)
            made.created = self.now
            return made

        clocks = [
            mock.patch.object(module, "time_ns", self._nanoseconds)
            for name, module in sys.modules.items()
            if name.startswith("opentelemetry.") and hasattr(module, "time_ns")
        ]
        for clock in clocks:
            clock.start()
        logging.setLogRecordFactory(record)
        logger.addHandler(self._handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield self
        finally:
            logger.removeHandler(self._handler)
            logger.setLevel(level)
            logger.propagate = propagates
            logging.setLogRecordFactory(factory)
            for clock in clocks:
                clock.stop()

    def _nanoseconds(self) -> int:
        return int(self.now * 1e9)

    def minute_ends(self, seconds: float = 60.0) -> None:
        """Time moves on and the metrics of the minute are exported, as every minute in Azure."""
        self.now += seconds
        self._reader.collect()

    def taken(self) -> list[str]:
        """What would have been sent since the last call."""
        taken, self.bodies[:] = list(self.bodies), []
        return taken


def send(url: str, bodies: list[str], *, days: int) -> None:
    """Sends what exporters would have sent, some days later than it was told."""

    def shifted(found: re.Match[str]) -> str:
        day = datetime.fromisoformat(found[1]).replace(tzinfo=UTC) + timedelta(days=days)
        return f'"time": "{day:%Y-%m-%d}T'

    batch: list[str] = []
    for n, body in enumerate(bodies):
        batch.append(body)
        if n == len(bodies) - 1 or sum(map(len, batch)) > BATCH_CHARACTERS:
            text = TIME.sub(shifted, f"[{','.join(batch)}]")
            answer = httpx2.post(
                f"{url}/v2.1/track", content=text.encode(), headers={"content-type": "application/json"}
            )
            assert answer.status_code == 200, answer.text[:500]
            batch = []
