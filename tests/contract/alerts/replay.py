"""The app's own telemetry under a clock that the test holds: its observer, the SDK and Azure Monitor's exporters are
real, and what they make is sent to a real ingestion endpoint. Only the time is not now."""

import logging
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorMetricExporter
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
BATCH = 2000


class _Held:
    """What an exporter would send, kept for sending many at once."""

    held: list[Any]

    def _transmit(self, envelopes: list[Any]) -> ExportResult:
        self.__dict__.setdefault("held", []).extend(envelopes)
        return ExportResult.SUCCESS

    def _handle_transmit_from_storage(self, envelopes: list[Any], result: ExportResult) -> None:
        """Nothing is stored on disk."""

    def send(self) -> None:
        held = self.__dict__.pop("held", [])
        for start in range(0, len(held), BATCH):
            sent = super()._transmit(held[start : start + BATCH])  # type: ignore[misc]  # the exporter's
            assert sent is ExportResult.SUCCESS, "the ingestion endpoint refused telemetry"


class _MetricExporter(_Held, AzureMonitorMetricExporter):
    pass


class _LogExporter(_Held, AzureMonitorLogExporter):
    pass


@dataclass
class Replay:
    """One instance of the app that lives at `now`, in seconds since 1970."""

    connection_string: str
    now: float
    instance: str = "instance-0"
    ledger_away: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        resource = Resource({"service.name": "spillway", "service.instance.id": self.instance})
        options: dict[str, Any] = {"connection_string": self.connection_string, "disable_offline_storage": True}
        self._metrics_out, self._logs_out = _MetricExporter(**options), _LogExporter(**options)
        # Without an interval there is no thread; a minute ends when the test says so.
        self._reader = PeriodicExportingMetricReader(self._metrics_out, export_interval_millis=math.inf)
        self._meters = MeterProvider([self._reader], resource)
        self._logs = LoggerProvider(resource)
        self._logs.add_log_record_processor(SimpleLogRecordProcessor(self._logs_out))
        self._handler = LoggingHandler(logger_provider=self._logs)
        with (
            mock.patch.object(metrics, "get_meter", self._meters.get_meter),
            mock.patch.object(_logs, "get_logger", self._logs.get_logger),
        ):
            self.observer = OpenTelemetryObserver(PRICES)
        self.observer.watch_ledger(lambda: self.ledger_away)

    @contextmanager
    def living(self) -> Iterator["Replay"]:
        """Time is the replay's inside; what was told is sent at the end."""
        logger, factory = logging.getLogger(LOGGER_NAME), logging.getLogRecordFactory()
        level, propagates = logger.level, logger.propagate

        def record(*arguments: Any, **words: Any) -> logging.LogRecord:
            made = factory(*arguments, **words)
            made.created = self.now
            return made

        modules = [m for name, m in sys.modules.items() if name.startswith("opentelemetry.sdk") and hasattr(m, "time_ns")]
        patches = [mock.patch.object(module, "time_ns", lambda: int(self.now * 1e9)) for module in modules]
        for patch in patches:
            patch.start()
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
            for patch in patches:
                patch.stop()
        self._metrics_out.send()
        self._logs_out.send()

    def minute_ends(self, seconds: float = 60.0) -> None:
        """Time moves on and the metrics of the minute are exported, as every minute in Azure."""
        self.now += seconds
        self._reader.collect()

    def close(self) -> None:
        """Lets go of everything."""
        self._meters.shutdown()
        self._logs.shutdown()
