"""Gauges that forget: what an instance has not seen of late is not said again."""

import time
from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from shared.telemetry.names import Instrument
from shared.telemetry.otel.attributes import Attributes

FRESH_SECONDS = 120.0
"""Two periods of export. An ordinary gauge sends its last value again for as long as the process lives."""


class FreshGauge:
    """The last value by attributes, said while it is fresh. Setting is one assignment; any thread may read."""

    def __init__(self, meter: Meter, instrument: Instrument, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Makes the instrument.

        Args:
            meter: Where it belongs.
            instrument: What it is called.
            monotonic: Seconds from an arbitrary start.
        """
        self._seen: dict[tuple[tuple[str, str | int | float | bool], ...], tuple[float, float]] = {}
        self._monotonic = monotonic
        meter.create_observable_gauge(instrument.name, [self._read], instrument.unit, instrument.description)

    def set(self, value: float, attributes: Attributes) -> None:
        """Notes a value."""
        self._seen[tuple(attributes.items())] = (value, self._monotonic())

    def _read(self, _options: CallbackOptions) -> Iterable[Observation]:
        since = self._monotonic() - FRESH_SECONDS
        return [Observation(value, dict(key)) for key, (value, at) in list(self._seen.items()) if at >= since]
