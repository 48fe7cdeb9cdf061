"""What is declared in two places agrees: routes and functions, queues and triggers, code and reference."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.api.openapi import document
from shared.api.openapi_routes import ROUTES
from shared.errors import ALL_ERRORS
from tests.app_functions import app_functions

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def functions() -> dict[str, list[dict[str, Any]]]:
    return app_functions()


def test_every_http_function_is_in_the_openapi_document_and_the_other_way_round(functions: dict[str, Any]) -> None:
    found = {
        (name, method.value.lower() if hasattr(method, "value") else str(method).lower(), f"/api/{binding['route']}")
        for name, bindings in functions.items()
        for binding in bindings
        if binding["type"] == "httpTrigger" and name != "web_page"
        for method in binding["methods"]
    }

    assert found == {(route.function, route.method, route.path) for route in ROUTES}


def test_the_page_has_the_last_function_name_because_the_host_tries_routes_by_name(functions: dict[str, Any]) -> None:
    assert max(functions) == "web_page"


def test_every_lane_queue_has_its_trigger(functions: dict[str, Any]) -> None:
    declared = json.loads((ROOT / "local" / "queues.json").read_text())["UserConfig"]["Namespaces"][0]["Queues"]
    lanes = {queue["Name"] for queue in declared if queue["Name"].startswith("chat-")}
    triggers = {
        binding["queueName"] for bindings in functions.values() for binding in bindings if "queueName" in binding
    }

    assert lanes == {queue for queue in triggers if queue.startswith("chat-")}


def test_every_trigger_has_its_queue(functions: dict[str, Any]) -> None:
    declared = json.loads((ROOT / "local" / "queues.json").read_text())["UserConfig"]["Namespaces"][0]["Queues"]
    triggers = {
        binding["queueName"] for bindings in functions.values() for binding in bindings if "queueName" in binding
    }

    assert triggers <= {queue["Name"] for queue in declared}


def test_the_openapi_document_refers_only_to_schemas_it_has() -> None:
    text = json.dumps(document())

    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(document()["components"]["schemas"])


def test_every_error_says_what_happened_and_has_its_own_code() -> None:
    assert len({error.code for error in ALL_ERRORS}) == len(ALL_ERRORS)
    for error in ALL_ERRORS:
        assert len(error().message.split()) >= 5


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: str(error.code))
def test_every_error_is_in_the_reference(error: Any) -> None:
    reference = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")

    assert f"| `{error.code}` | {error.status} |" in reference


def test_every_setting_is_in_the_reference_and_nothing_else() -> None:
    code = (ROOT / "shared" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'read\.\w+\(\s*f?"([A-Za-z_.{}()]+)"', code)) | {"SPILLWAY_SWEEP_SCHEDULE"}
    names = {name.replace("{lane.upper()}", "LANE") for name in names}
    reference = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `([A-Za-z_]+)` \|", reference, flags=re.MULTILINE)) == names
