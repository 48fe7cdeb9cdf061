"""Turns one telemetry envelope into table rows. Pure: no clock, no store."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from local.insights.errors import EnvelopeError
from local.insights.schema import COMMON, TABLES

Row = tuple[Any, ...]
"""Values in the order of `schema.Table.columns`, without the generated item id at the end."""

_TAGS: Final = tuple(column.tag for column in COMMON if column.tag is not None)
_ITEM_TYPES: Final = {table.classic: table.item_type for table in TABLES}
_DURATION: Final = re.compile(r"(?:(\d{1,8})\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?", re.ASCII)
_COUNTER: Final = re.compile(r"\\([^\\(]+)(?:\(([^)]*)\))?\\(.+)", re.DOTALL)
_SEVERITIES: Final = {"Verbose": 0, "Information": 1, "Warning": 2, "Error": 3, "Critical": 4}
_BUCKETS: Final = (
    (250, "<250ms"), (500, "250ms-500ms"), (1_000, "500ms-1sec"), (3_000, "1sec-3sec"), (7_000, "3sec-7sec"),
    (15_000, "7sec-15sec"), (30_000, "15sec-30sec"), (60_000, "30sec-1min"), (120_000, "1min-2min"),
    (300_000, "2min-5min"),
)  # fmt: skip


def rows(envelope: Any) -> Iterator[tuple[str, Row]]:
    """Yields (classic table name, row) for each row the envelope stands for; a metric envelope may hold several.

    Raises:
        EnvelopeError: A field is missing or has the wrong type, or the telemetry type is not covered.
    """
    if not isinstance(envelope, dict):
        raise EnvelopeError("an envelope must be a JSON object")
    data = _object(envelope, "data")
    base, base_type = _object(data, "baseData"), data.get("baseType")
    decode = _DECODERS.get(base_type) if isinstance(base_type, str) else None
    if decode is None:
        raise EnvelopeError(f"data.baseType {base_type!r} is not covered; covered are {', '.join(_DECODERS)}")
    timestamp = _timestamp(envelope.get("time"))
    common = _common(envelope)
    item_count = _item_count(envelope.get("sampleRate"))
    for table, values in decode(base):
        yield table, (timestamp, *values, *common, _ITEM_TYPES[table], item_count)


def _common(envelope: dict[str, Any]) -> Row:
    tags = envelope.get("tags") or {}
    if not isinstance(tags, dict):
        raise EnvelopeError("tags must be an object")
    values = tuple(_text(tags, tag) for tag in _TAGS)
    return (*values, "", "", _text(envelope, "iKey"))


def _timestamp(value: Any) -> datetime:
    if not isinstance(value, str):
        raise EnvelopeError("time must be an ISO 8601 text")
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise EnvelopeError(f"time {value[:40]!r} is not an ISO 8601 time") from error


def _item_count(sample_rate: Any) -> int:
    if sample_rate is None:
        return 1
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | float) or not 0 < sample_rate <= 100:
        raise EnvelopeError("sampleRate must be a number above 0 and at most 100")
    return min(2**31 - 1, max(1, round(100.0 / sample_rate)))


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    if not isinstance(value, dict):
        raise EnvelopeError(f"{name} must be an object")
    return value


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    raise EnvelopeError(f"{name} must be a text")


def _number(holder: dict[str, Any], name: str) -> float | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EnvelopeError(f"{name} must be a number")
    return float(value)


def _success(base: dict[str, Any]) -> bool:
    value = base.get("success", True)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise EnvelopeError("success must be true or false")
    return value


def _milliseconds(base: dict[str, Any]) -> float:
    text = base.get("duration")
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise EnvelopeError("duration must have the form d.hh:mm:ss.fff")
    days, hours, minutes, seconds, fraction = match.groups("0")
    whole = ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000.0 + float(f"0.{fraction}") * 1000.0


def _performance_bucket(milliseconds: float) -> str:
    return next((label for limit, label in _BUCKETS if milliseconds < limit), ">=5min")


def _severity(base: dict[str, Any]) -> int | None:
    value = base.get("severityLevel")
    level = _SEVERITIES.get(value) if isinstance(value, str) else value
    if value is None:
        return None
    if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= 4:
        raise EnvelopeError(f"severityLevel must be 0 to 4 or one of {', '.join(_SEVERITIES)}")
    return level


def _bag(base: dict[str, Any], name: str) -> str | None:
    value = base.get(name)
    if not value:
        return None
    if not isinstance(value, dict):
        raise EnvelopeError(f"{name} must be an object")
    return orjson.dumps(value).decode()


def _bags(base: dict[str, Any]) -> tuple[str | None, str | None]:
    return _bag(base, "properties"), _bag(base, "measurements")


Decoded = Iterator[tuple[str, Row]]


def _request(base: dict[str, Any]) -> Decoded:
    duration = _milliseconds(base)
    yield "requests", (
        *(_text(base, name) for name in ("id", "source", "name", "url")),
        _success(base), _text(base, "responseCode"), duration, _performance_bucket(duration), *_bags(base),
    )  # fmt: skip


def _dependency(base: dict[str, Any]) -> Decoded:
    duration = _milliseconds(base)
    yield "dependencies", (
        *(_text(base, name) for name in ("id", "target", "type", "name", "data")),
        _success(base), _text(base, "resultCode"), duration, _performance_bucket(duration), *_bags(base),
    )  # fmt: skip


def _trace(base: dict[str, Any]) -> Decoded:
    yield "traces", (_text(base, "message"), _severity(base), *_bags(base))


def _exception(base: dict[str, Any]) -> Decoded:
    listed = base.get("exceptions")
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed) or not listed:
        raise EnvelopeError("exceptions must be a list with at least one object")
    outer, innermost = listed[0], listed[-1]
    outer_type, outer_message = _text(outer, "typeName"), _text(outer, "message")
    yield "exceptions", (
        _text(base, "problemId") or outer_type, _text(base, "handledAt"), outer_type, _text(base, "message"), "", "",
        outer_type, outer_message, "", "",
        _text(innermost, "typeName"), _text(innermost, "message"), "", "",
        _severity(base), orjson.dumps(listed).decode(), *_bags(base),
    )  # fmt: skip


def _event(base: dict[str, Any]) -> Decoded:
    yield "customEvents", (_text(base, "name"), *_bags(base))


def _metric(base: dict[str, Any]) -> Decoded:
    metrics = base.get("metrics")
    if not isinstance(metrics, list) or not all(isinstance(metric, dict) for metric in metrics) or not metrics:
        raise EnvelopeError("metrics must be a list with at least one object")
    dimensions = _bag(base, "properties")
    for metric in metrics:
        name, value = _text(metric, "name"), _number(metric, "value")
        if value is None:
            raise EnvelopeError("a metric must have a value")
        counter = _COUNTER.fullmatch(name)
        if counter is not None:
            category, instance, counter_name = counter.groups("")
            yield "performanceCounters", (counter_name, category, counter_name, instance, value, dimensions)
            continue
        count, least, most = (_number(metric, field) for field in ("count", "min", "max"))
        yield "customMetrics", (
            name, value, 1 if count is None else min(2**31 - 1, max(0, int(count))), value,
            value if least is None else least, value if most is None else most, _number(metric, "stdDev"), dimensions,
        )  # fmt: skip


def _availability(base: dict[str, Any]) -> Decoded:
    duration = _milliseconds(base)
    yield "availabilityResults", (
        *(_text(base, name) for name in ("id", "name", "runLocation")), _success(base), _text(base, "message"),
        None, duration, _performance_bucket(duration), *_bags(base),
    )  # fmt: skip


_DECODERS: Final[dict[str, Callable[[dict[str, Any]], Decoded]]] = {
    "RequestData": _request,
    "RemoteDependencyData": _dependency,
    "MessageData": _trace,
    "ExceptionData": _exception,
    "EventData": _event,
    "MetricData": _metric,
    "AvailabilityData": _availability,
}
