"""Queues from a file in the format of the Service Bus emulator's Config.json."""

import json
from pathlib import Path
from typing import Any

from local.servicebus.broker.settings import QueueSettings
from local.servicebus.durations import parse_duration

DEFAULT_FILE = Path(__file__).resolve().parent.parent / "queues.json"
MAX_LOCK_SECONDS = 5 * 60
MAX_DUPLICATE_WINDOW_SECONDS = 7 * 24 * 3600
MAX_DELIVERIES = 2000
MAX_NAME_CHARACTERS = 260

_KNOWN = {
    "DeadLetteringOnMessageExpiration",
    "DefaultMessageTimeToLive",
    "DuplicateDetectionHistoryTimeWindow",
    "ForwardDeadLetteredMessagesTo",
    "ForwardTo",
    "LockDuration",
    "MaxDeliveryCount",
    "RequiresDuplicateDetection",
    "RequiresSession",
}


def load_queues(file: Path, max_queue_bytes: int) -> list[QueueSettings]:
    """Reads and checks the configuration.

    Args:
        file: JSON file with UserConfig.Namespaces[0].Queues.
        max_queue_bytes: Upper bound for what one queue holds.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Something in it is wrong; the message says where and what.
    """
    if not file.is_file():
        raise FileNotFoundError(f"The configuration file {file} does not exist. Give one with --config.")
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{file} is not JSON: {error}") from error
    try:
        return _queues(document, max_queue_bytes)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _queues(document: Any, max_queue_bytes: int) -> list[QueueSettings]:
    user = _member(document, "the file", "UserConfig", dict)
    namespaces = _member(user, "UserConfig", "Namespaces", list)
    if len(namespaces) != 1:
        raise ValueError(f"UserConfig.Namespaces must hold one namespace, not {len(namespaces)}.")
    where = "UserConfig.Namespaces[0]"
    if _member(namespaces[0], where, "Topics", list, []):
        raise ValueError(f"{where}.Topics is not empty; topics are not covered by this service.")
    entries = _member(namespaces[0], where, "Queues", list)
    settings = [_queue(entry, f"{where}.Queues[{index}]", max_queue_bytes) for index, entry in enumerate(entries)]
    names = [each.name.lower() for each in settings]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"{where}.Queues declares {', '.join(sorted(repeated))} more than once.")
    if not settings:
        raise ValueError(f"{where}.Queues declares no queue.")
    return settings


def _queue(entry: Any, where: str, max_queue_bytes: int) -> QueueSettings:
    name = _member(entry, where, "Name", str)
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or name.startswith("/") or name.endswith("/") or "$" in name:
        raise ValueError(f"{where}.Name {name!r} is not a queue name.")
    where = f"{where} ({name}).Properties"
    properties = _member(entry, where, "Properties", dict, {})
    unknown = sorted(set(properties) - _KNOWN)
    if unknown:
        raise ValueError(f"{where} has {', '.join(unknown)}, which is not known. Known: {', '.join(sorted(_KNOWN))}.")
    for forward in ("ForwardTo", "ForwardDeadLetteredMessagesTo"):
        if _member(properties, where, forward, str, ""):
            raise ValueError(f"{where}.{forward} is set; forwarding is not covered by this service.")
    detects = _member(properties, where, "RequiresDuplicateDetection", bool, False)
    window = _duration(properties, where, "DuplicateDetectionHistoryTimeWindow", MAX_DUPLICATE_WINDOW_SECONDS, "PT10M")
    deliveries = _member(properties, where, "MaxDeliveryCount", int, 10)
    if not 1 <= deliveries <= MAX_DELIVERIES:
        raise ValueError(f"{where}.MaxDeliveryCount is {deliveries}; it must be from 1 to {MAX_DELIVERIES}.")
    return QueueSettings(
        name=name,
        lock_seconds=_duration(properties, where, "LockDuration", MAX_LOCK_SECONDS, "PT1M"),
        max_delivery_count=deliveries,
        time_to_live_seconds=_time_to_live(properties, where),
        dead_letters_on_expiry=_member(properties, where, "DeadLetteringOnMessageExpiration", bool, False),
        requires_session=_member(properties, where, "RequiresSession", bool, False),
        duplicate_window_seconds=window if detects else 0.0,
        max_bytes=max_queue_bytes,
    )


def _time_to_live(properties: dict[str, Any], where: str) -> float | None:
    if "DefaultMessageTimeToLive" not in properties:
        return None
    return _duration(properties, where, "DefaultMessageTimeToLive", None, "")


def _duration(properties: dict[str, Any], where: str, name: str, limit_seconds: float | None, default: str) -> float:
    text = _member(properties, where, name, str, default)
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{where}.{name}: {error}.") from error
    if seconds <= 0 or (limit_seconds is not None and seconds > limit_seconds):
        upper = "" if limit_seconds is None else f" and at most {limit_seconds:.0f} s"
        raise ValueError(f"{where}.{name} is {text}; it must be more than 0{upper}.")
    return seconds


def _member(holder: Any, where: str, name: str, kind: type, default: Any = None) -> Any:
    value = holder.get(name, default) if isinstance(holder, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{where}.{name} must be {_KINDS[kind]}, not {json.dumps(value)}.")
    return value


_KINDS = {str: "a string", bool: "true or false", int: "a whole number", list: "an array", dict: "an object"}
