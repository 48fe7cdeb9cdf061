"""OpenTelemetry's SDK in memory, without touching the global providers."""

import json
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.telemetry import names


@dataclass
class Memory:
    """Providers whose output can be read."""

    spans_out: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    logs_out: InMemoryLogRecordExporter = field(default_factory=InMemoryLogRecordExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.traces = TracerProvider()
        self.traces.add_span_processor(SimpleSpanProcessor(self.spans_out))
        self.logs = LoggerProvider()
        self.logs.add_log_record_processor(SimpleLogRecordProcessor(self.logs_out))
        self.meters = MeterProvider([self.reader])
        self.tracer = self.traces.get_tracer(names.SCOPE)
        self.logger = self.logs.get_logger(names.SCOPE)
        self.meter = self.meters.get_meter(names.SCOPE)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.spans_out.get_finished_spans())

    @property
    def events(self) -> list[dict[str, Any]]:
        return [dict(log.log_record.attributes or {}) for log in self.logs_out.get_finished_logs()]

    def points(self) -> dict[str, list[Any]]:
        """All data points by metric name; reading empties nothing, sums are cumulative."""
        found: dict[str, list[Any]] = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found.setdefault(metric.name, []).extend(metric.data.data_points)
        return found

    def close(self) -> None:
        self.traces.shutdown()
        self.logs.shutdown()
        self.meters.shutdown()


def measured(attributes: Any) -> dict[str, float]:
    """The measurements among attributes."""
    found: dict[str, float] = json.loads(attributes[names.CUSTOM_MEASUREMENTS])
    return found
