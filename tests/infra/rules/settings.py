"""App settings: all that the app reads, nothing that the platform refuses."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from shared.errors import SettingsError
from shared.settings import Settings
from tests.app_functions import app_functions
from tests.infra.rules.project import ROOT, Project, Rule, arguments, calls

FORBIDDEN = re.compile(
    r"FUNCTIONS_(WORKER_RUNTIME|EXTENSION_VERSION|WORKER_PROCESS_COUNT|MAX_HTTP_CONCURRENCY)"
    r"|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT\w*|AzureWebJobsStorage"
    r"|linuxFxVersion|PYTHON_ENABLE_INIT_INDEXING"
)
"""Source: microsoft/azure-skills, consumption-to-flex; the last one is for Python 3.12 and older."""
PERCENT = re.compile(r"%(\w+)%")
TELEMETRY = {
    "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": r"true",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": r"InstrumentationKey=.+",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": r"Authorization=AAD;ClientId=client-of-.+",
    # Unset, the exporter keeps five traces a second.
    "OTEL_TRACES_SAMPLER": r"microsoft\.fixed_percentage|parentbased_\w+",
    "OTEL_TRACES_SAMPLER_ARG": r"[\d.]+",
}

CONSOLE = {
    "SPILLWAY_QUERY_ENDPOINT": r"https://api\.applicationinsights\.io/v1/apps/app-id-of-[\w-]+/query",
    "SPILLWAY_WORKBOOK_URL": r"https://portal\.azure\.com/#@[0-9a-f-]{36}/resource/subscriptions/.+/workbook",
}


def the_app_starts_with_its_settings(project: Project) -> Iterator[str]:
    for scenario, settings in project.app_settings().items():
        try:
            read = Settings.from_environment({name: str(value) for name, value in settings.items()})
        except SettingsError as error:
            yield f"{scenario}: {error}"
            continue
        if read.client_id is None:
            yield f"{scenario}: the app does not know which identity it has"
        if read.default_model not in {entry.model for entry in read.deployments if entry.kind == "chat"}:
            yield f"{scenario}: no chat deployment answers for the default model {read.default_model}"
        if read.cosmos_key or read.openai_key or read.service_bus_connection_string:
            yield f"{scenario}: a key or connection string among the settings"


def every_setting_given_is_read(project: Project) -> Iterator[str]:
    read = _read_names()
    for scenario, settings in project.app_settings().items():
        for name in settings:
            if name.startswith(("SPILLWAY_", "COSMOS_")) and name not in read:
                yield f"{scenario}: nothing reads {name}"


@cache
def _read_names() -> set[str]:
    tree = ast.parse((ROOT / "shared" / "settings.py").read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return texts | _binding_settings()


@cache
def _binding_settings() -> set[str]:
    texts = [str(value) for call in calls("functions") for value in arguments(call).values()]
    return {name for text in texts for name in PERCENT.findall(text)}


def settings_of_bindings_are_given(project: Project) -> Iterator[str]:
    for scenario, settings in project.app_settings().items():
        for name in sorted(_binding_settings() - set(settings)):
            yield f"{scenario}: a trigger asks for {name}"


def settings_that_the_plan_refuses_are_absent(project: Project) -> Iterator[str]:
    for scenario, settings in project.app_settings().items():
        for name in settings:
            if FORBIDDEN.fullmatch(name):
                yield f"{scenario}: {name} must not be set on Flex Consumption"
    for scenario, site in project.resources("Microsoft.Web/sites"):
        for name in site.properties.get("siteConfig", {}):
            if name in {"linuxFxVersion", "appSettings"}:
                yield f"{scenario}: siteConfig.{name} must not be set"


def connections_use_the_identity(project: Project) -> Iterator[str]:
    endings = {"ServiceBusConnection": "fullyQualifiedNamespace", "AzureWebJobsStorage": "blobServiceUri"}
    for scenario, settings in project.app_settings().items():
        for connection, address in endings.items():
            wanted = {
                f"{connection}__{address}": r".+",
                f"{connection}__credential": "managedidentity",
                f"{connection}__clientId": "client-of-.+",
            }
            yield from (f"{scenario}: {name} is missing or wrong" for name in _wrong(settings, wanted))


def connections_of_triggers_are_known(project: Project) -> Iterator[str]:
    bindings = [binding for found in app_functions().values() for binding in found]
    used = {str(binding["connection"]) for binding in bindings if binding["type"] == "serviceBusTrigger"}
    for scenario, settings in project.app_settings().items():
        for name in used:
            if f"{name}__fullyQualifiedNamespace" not in settings:
                yield f"{scenario}: triggers use the connection {name}"
    if not used:
        yield "no Service Bus trigger was found in functions/"


def the_console_is_told_where_telemetry_and_workbook_are(project: Project) -> Iterator[str]:
    for scenario, settings in project.app_settings().items():
        yield from (f"{scenario}: {name} is missing or wrong" for name in _wrong(settings, CONSOLE))
        (workbook,) = (entry for where, entry in project.resources("Microsoft.Insights/workbooks") if where == scenario)
        if f"/resource{workbook.id}/" not in str(settings.get("SPILLWAY_WORKBOOK_URL")):
            yield f"{scenario}: the console's link does not lead to the workbook that is deployed"


def telemetry_is_on(project: Project) -> Iterator[str]:
    for scenario, settings in project.app_settings().items():
        yield from (f"{scenario}: {name} is missing or wrong" for name in _wrong(settings, TELEMETRY))


def _wrong(settings: dict[str, Any], wanted: dict[str, str]) -> list[str]:
    return [name for name, form in wanted.items() if not re.fullmatch(form, str(settings.get(name, "")))]


RULES: tuple[Rule, ...] = (
    the_app_starts_with_its_settings,
    every_setting_given_is_read,
    settings_of_bindings_are_given,
    settings_that_the_plan_refuses_are_absent,
    connections_use_the_identity,
    connections_of_triggers_are_known,
    telemetry_is_on,
    the_console_is_told_where_telemetry_and_workbook_are,
)
