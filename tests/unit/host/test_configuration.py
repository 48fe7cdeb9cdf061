import json
import os
from pathlib import Path
from typing import Any

import pytest

from local.host import hostjson, settings
from local.host.bus.connection import Connection, resolve
from local.host.bus.entity import Entity, entity_of
from local.host.errors import HostError
from local.host.web import keys


def parse(extensions: dict[str, Any] | None = None, **root: Any) -> hostjson.HostJson:
    return hostjson.parse({"version": "2.0", "extensions": extensions or {}, **root})


def test_host_json_has_the_defaults_of_the_platform() -> None:
    read = parse()
    assert (read.route_prefix, read.function_timeout_seconds) == ("api", 1800)
    assert (read.service_bus.auto_complete_messages, read.service_bus.max_lock_renewal_seconds) == (True, 300)
    assert read.service_bus.max_concurrent_calls % 16 == 0


def test_host_json_is_obeyed() -> None:
    service_bus = {
        "prefetchCount": 5,
        "maxConcurrentCalls": 8,
        "maxConcurrentSessions": 3,
        "autoCompleteMessages": False,
        "maxAutoLockRenewalDuration": "00:10:00",
        "sessionIdleTimeout": "00:00:01.5",
        "clientRetryOptions": {"mode": "Fixed", "maxRetries": 2, "delay": "00:00:00.800", "maxDelay": "1.00:00:00"},
    }
    read = parse({"http": {"routePrefix": "/v1/"}, "serviceBus": service_bus}, functionTimeout="-1")
    assert (read.route_prefix, read.function_timeout_seconds) == ("v1", None)
    bus = read.service_bus
    assert (bus.prefetch_count, bus.max_concurrent_calls, bus.max_concurrent_sessions) == (5, 8, 3)
    assert (bus.auto_complete_messages, bus.max_lock_renewal_seconds, bus.session_idle_seconds) == (False, 600, 1.5)
    assert (bus.retry_mode, bus.retry_total, bus.retry_delay_seconds) == ("fixed", 2, 0.8)
    assert bus.retry_max_delay_seconds == 86400


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "must be a JSON object"),
        ({}, '"version" must be "2.0"'),
        ({"version": 2}, '"version" must be of type str'),
        ({"version": "2.0", "functionTimeout": "5 min"}, '"functionTimeout" must be a time span'),
        ({"version": "2.0", "extensions": []}, "host.json: extensions must be a JSON object"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 0}}}, "whole number of at least 1"),
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": True}}}, "whole number"),
        (
            {"version": "2.0", "extensions": {"serviceBus": {"prefetchCount": "4"}}},
            '"prefetchCount" must be of type int',
        ),
        ({"version": "2.0", "extensions": {"serviceBus": {"autoCompleteMessages": 1}}}, "must be of type bool"),
    ],
)
def test_a_host_json_that_is_not_valid_names_the_key(document: Any, message: str) -> None:
    with pytest.raises(HostError, match=message):
        hostjson.parse(document)


@pytest.mark.parametrize("text", ["{", '{"version": "2.0"', "\x00"])
def test_a_host_json_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(HostError, match=r"Cannot read .*host\.json"):
        hostjson.read(tmp_path)


def test_the_environment_wins_over_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"A": "environment"})
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps({"Values": {"A": "file", "B": "file"}}))
    settings.load(path)
    assert dict(os.environ) == {"A": "environment", "B": "file"}


@pytest.mark.parametrize("document", [[], {}, {"Values": []}, {"Values": {"A": 1}}])
def test_a_settings_file_of_another_shape_is_refused(tmp_path: Path, document: Any) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps(document))
    with pytest.raises(HostError, match=r"settings file"):
        settings.load(path)


def test_references_to_settings_are_resolved() -> None:
    assert settings.expand("a-%X%-%Y%", {"X": "1", "Y": "2"}, function="f") == "a-1-2"
    assert settings.expand("100%", {}, function="f") == "100%"
    with pytest.raises(HostError, match=r'Function "f": "%Z%" does not resolve'):
        settings.expand("%Z%", {"Z": ""}, function="f")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Bus": "Endpoint=sb://x"}, Connection(connection_string="Endpoint=sb://x")),
        ({"AzureWebJobsBus": "Endpoint=sb://x"}, Connection(connection_string="Endpoint=sb://x")),
        (
            {"Bus": "Endpoint=sb://x", "Bus__fullyQualifiedNamespace": "y"},
            Connection(connection_string="Endpoint=sb://x"),
        ),
        ({"Bus__fullyQualifiedNamespace": "y"}, Connection(namespace="y")),
        (
            {"Bus__fullyQualifiedNamespace": "y", "Bus__credential": "managedidentity", "Bus__clientId": "id"},
            Connection(namespace="y", managed=True, client_id="id"),
        ),
    ],
)
def test_a_connection_is_found_as_the_platform_finds_it(values: dict[str, str], expected: Connection) -> None:
    assert resolve("Bus", values, function="f") == expected


def test_a_connection_without_a_name_is_that_of_the_platform() -> None:
    assert resolve("", {"AzureWebJobsServiceBus": "x"}, function="f") == Connection(connection_string="x")


@pytest.mark.parametrize(
    ("trigger", "expected", "path"),
    [
        ({"queueName": "%Q%"}, Entity(queue="chat"), "chat"),
        ({"queueName": "%Q%/$DeadLetterQueue"}, Entity(queue="chat", dead_letters=True), "chat/$DeadLetterQueue"),
        ({"queueName": "q", "isSessionsEnabled": True}, Entity(queue="q", sessions=True), "q"),
        ({"topicName": "t", "subscriptionName": "s"}, Entity(topic="t", subscription="s"), "t/Subscriptions/s"),
    ],
)
def test_an_entity_is_read_from_its_binding(trigger: dict[str, Any], expected: Entity, path: str) -> None:
    entity = entity_of(trigger, {"Q": "chat"}, function="f")
    assert (entity, str(entity)) == (expected, path)


@pytest.mark.parametrize(
    "document",
    [[], {}, {"master": ""}, {"master": "m", "default": 3}, {"master": "m", "functions": {"f": "key"}}],
)
def test_a_key_file_of_another_shape_is_refused(document: Any) -> None:
    with pytest.raises(HostError, match=r"keys\.json"):
        keys.parse(document, "keys.json")
