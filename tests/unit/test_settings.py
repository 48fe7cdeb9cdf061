"""A wrong setting is named, with what it wants; all faults at once."""

import json

import pytest

from shared.errors import SettingsError
from shared.settings import Settings
from tests.unit.samples import DEPLOYMENTS, ENVIRONMENT


def test_the_needed_settings_are_enough() -> None:
    settings = Settings.from_environment(ENVIRONMENT)

    assert settings.deployments[0].endpoint == "http://127.0.0.1:1/openai/v1/"
    assert settings.deployments[0].deployment == "chat"


def test_all_missing_settings_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({})

    for name in ("COSMOS_ENDPOINT", "ServiceBusConnection__fullyQualifiedNamespace", "SPILLWAY_DEPLOYMENTS"):
        assert name in caught.value.message


@pytest.mark.parametrize(
    ("name", "value", "wants"),
    [
        ("COSMOS_ENDPOINT", "localhost:8081", "must be a URL"),
        ("SPILLWAY_LEASE_SECONDS", "soon", "must be a number from 1 to 300"),
        ("SPILLWAY_LEASE_SECONDS", "0", "must be a number from 1 to 300"),
        ("SPILLWAY_MAX_RUNS", "2.5", "must be a whole number"),
        ("SPILLWAY_KNOWLEDGE_ENABLED", "yes", "must be one of true, false"),
        ("SPILLWAY_QUERY_ENDPOINT", "insights", "must be a URL"),
        ("SPILLWAY_WORKBOOK_URL", "portal", "must be a URL"),
        ("SPILLWAY_AUTH", "none", "must be one of key, entra"),
        ("SPILLWAY_DEPLOYMENTS", "chat", "must be a JSON list of model deployments"),
        ("SPILLWAY_DEPLOYMENTS", "[]", "at least one deployment of kind chat"),
        ("SPILLWAY_DEPLOYMENTS", json.dumps(DEPLOYMENTS * 2), "two deployments have the same name"),
        ("SPILLWAY_DEPLOYMENTS", json.dumps([DEPLOYMENTS[0] | {"tokens_per_minute": 0}]), "must be above 0"),
        ("SPILLWAY_API_KEYS", '[{"sha256": "abc", "tenant": "t"}]', "64 hexadecimal characters"),
    ],
)
def test_a_wrong_setting_says_what_it_wants(name: str, value: str, wants: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(ENVIRONMENT | {name: value})

    assert name in caught.value.message
    assert wants in caught.value.message
