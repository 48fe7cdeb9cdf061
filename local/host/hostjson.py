"""The parts of host.json that this host obeys."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import HostError

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,7}))?")


@dataclass(frozen=True, slots=True)
class ServiceBusOptions:
    """`extensions.serviceBus`, with the defaults of the Service Bus extension 5.x.

    Attributes:
        max_concurrent_calls: Messages of one function that run at once on one instance.
        max_concurrent_sessions: Sessions of one function that are held at once on one instance.
        max_message_batch_size: Most messages of one invocation with cardinality many.
        min_message_batch_size: Messages that are waited for, up to `max_batch_wait_seconds`.
        max_batch_wait_seconds: How long a batch below its minimum may wait.
        auto_complete_messages: Complete a message when its function returns.
        max_lock_renewal_seconds: How long a lock is kept alive while its function runs.
        prefetch_count: Messages that are locked ahead of a free call.
        session_idle_seconds: After this long without a message, another session is taken.
        retry_total: Retries of one Service Bus operation.
        retry_delay_seconds: Delay before the first of these retries.
        retry_max_delay_seconds: Longest delay between two of them.
        retry_mode: `exponential` or `fixed`.
    """

    max_concurrent_calls: int
    max_concurrent_sessions: int = 8
    max_message_batch_size: int = 1000
    min_message_batch_size: int = 1
    max_batch_wait_seconds: float = 30
    auto_complete_messages: bool = True
    max_lock_renewal_seconds: float = 300
    prefetch_count: int = 0
    session_idle_seconds: float = 60
    retry_total: int = 3
    retry_delay_seconds: float = 0.1
    retry_max_delay_seconds: float = 2
    retry_mode: str = "exponential"


@dataclass(frozen=True, slots=True)
class HostJson:
    """The obeyed part of host.json.

    Attributes:
        route_prefix: First segment of every route, `api` unless set.
        service_bus: Options of the Service Bus triggers.
        function_timeout_seconds: Longest time one invocation may take, None for no bound.
    """

    route_prefix: str
    service_bus: ServiceBusOptions
    function_timeout_seconds: float | None


def read(app: Path) -> HostJson:
    """Reads host.json of an app folder.

    Raises:
        HostError: The file is missing or not valid; the message names the key.
    """
    path = app / "host.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise HostError(
            f'{path} does not exist. A function app needs one; the least is {{"version": "2.0"}}.'
        ) from error
    except (OSError, ValueError) as error:
        raise HostError(f"Cannot read {path}: {error}") from error
    return parse(document)


def parse(document: Any) -> HostJson:
    """Checks a decoded host.json and takes out what this host obeys.

    Raises:
        HostError: A value has the wrong type or shape.
    """
    root = _Section(document, "host.json")
    if root.text("version", "") != "2.0":
        raise HostError('host.json: "version" must be "2.0".')
    timeout = root.text("functionTimeout", "00:30:00")
    return HostJson(
        route_prefix=root.section("extensions").section("http").text("routePrefix", "api").strip("/"),
        service_bus=_service_bus(root.section("extensions").section("serviceBus")),
        function_timeout_seconds=None if timeout == "-1" else time_span_seconds(timeout, "functionTimeout"),
    )


def _service_bus(section: "_Section") -> ServiceBusOptions:
    retry = section.section("clientRetryOptions")
    return ServiceBusOptions(
        max_concurrent_calls=section.count("maxConcurrentCalls", 16 * (os.cpu_count() or 1), least=1),
        max_concurrent_sessions=section.count("maxConcurrentSessions", 8, least=1),
        max_message_batch_size=section.count("maxMessageBatchSize", 1000, least=1),
        min_message_batch_size=section.count("minMessageBatchSize", 1, least=1),
        max_batch_wait_seconds=section.seconds("maxBatchWaitTime", "00:00:30"),
        auto_complete_messages=section.flag("autoCompleteMessages", default=True),
        max_lock_renewal_seconds=section.seconds("maxAutoLockRenewalDuration", "00:05:00"),
        prefetch_count=section.count("prefetchCount", 0),
        session_idle_seconds=section.seconds("sessionIdleTimeout", retry.text("tryTimeout", "00:01:00")),
        retry_total=retry.count("maxRetries", 3),
        retry_delay_seconds=retry.seconds("delay", "00:00:00.1"),
        retry_max_delay_seconds=retry.seconds("maxDelay", "00:00:02"),
        retry_mode=retry.text("mode", "exponential").lower(),
    )


def time_span_seconds(text: str, name: str) -> float:
    """Seconds of a .NET TimeSpan such as `00:05:00`, `1.00:00:00` or `00:00:00.8`.

    Raises:
        HostError: The text is no TimeSpan; names the key.
    """
    match = _TIME_SPAN.fullmatch(text)
    if match is None:
        raise HostError(f'host.json: "{name}" must be a time span such as "00:05:00", not "{text}".')
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return days * 86400 + hours * 3600 + minutes * 60 + seconds + float(f"0.{match[5] or 0}")


@dataclass(frozen=True, slots=True)
class _Section:
    """One JSON object of host.json with typed, checked access."""

    value: Any
    path: str

    def __post_init__(self) -> None:
        if not isinstance(self.value, dict):
            raise HostError(f"{self.path} must be a JSON object.")

    def section(self, name: str) -> "_Section":
        return _Section(self.value.get(name, {}), f"{self.path}: {name}")

    def text(self, name: str, default: str) -> str:
        return str(self._get(name, default, str))

    def flag(self, name: str, *, default: bool) -> bool:
        return bool(self._get(name, default, bool))

    def seconds(self, name: str, default: str) -> float:
        return time_span_seconds(self.text(name, default), name)

    def count(self, name: str, default: int, *, least: int = 0) -> int:
        value = self._get(name, default, int)
        if isinstance(value, bool) or value < least:
            raise HostError(f'{self.path}: "{name}" must be a whole number of at least {least}.')
        return int(value)

    def _get(self, name: str, default: Any, kind: type) -> Any:
        value = self.value.get(name, default)
        if not isinstance(value, kind):
            raise HostError(f'{self.path}: "{name}" must be of type {kind.__name__}, not {type(value).__name__}.')
        return value
