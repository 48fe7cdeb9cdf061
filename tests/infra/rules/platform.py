"""Flex Consumption: what the plan takes and what the app needs of it."""

from collections.abc import Iterator
from typing import Any

from tests.app_functions import app_functions
from tests.infra.bicep.resources import Resource
from tests.infra.rules.project import Project, Rule

SITE, PLAN = "Microsoft.Web/sites", "Microsoft.Web/serverfarms"
MEMORY_MB = frozenset({512, 2048, 4096})
FEWEST_INSTANCES, MOST_INSTANCES = 40, 1000
PER_ZONE_GROUP = 2
SCALED_ALONE = frozenset({"serviceBusTrigger", "timerTrigger"})


def the_plan_is_flex_consumption(project: Project) -> Iterator[str]:
    for scenario, plan in project.resources(PLAN):
        if plan.body.get("sku") != {"name": "FC1", "tier": "FlexConsumption"} or not plan.properties.get("reserved"):
            yield f"{scenario}: the plan is {plan.body.get('sku')} with {plan.properties}"


def the_app_runs_python_3_13(project: Project) -> Iterator[str]:
    for scenario, site in project.resources(SITE):
        runtime = site.properties["functionAppConfig"]["runtime"]
        if runtime != {"name": "python", "version": "3.13"} or site.body.get("kind") != "functionapp,linux":
            yield f"{scenario}: {site.body.get('kind')} with {runtime}"


def the_app_deploys_with_its_identity(project: Project) -> Iterator[str]:
    for scenario, site in project.resources(SITE):
        storage = site.properties["functionAppConfig"]["deployment"]["storage"]
        identity = next(iter(site.body["identity"]["userAssignedIdentities"]), None)
        if storage["authentication"].get("type") != "UserAssignedIdentity":
            yield f"{scenario}: the package is read with {storage['authentication']}"
        elif storage["authentication"]["userAssignedIdentityResourceId"] != identity:
            yield f"{scenario}: the package is read by another identity than the app's"
        containers = {
            f"https://{entry.full_name.split('/')[0]}.blob.core.windows.net/{entry.name}"
            for where, entry in project.resources("Microsoft.Storage/storageAccounts/blobServices/containers")
            if where == scenario
        }
        if storage["value"] not in containers:
            yield f"{scenario}: the package's container {storage['value']} is not created"


def scaling_is_within_the_plan(project: Project) -> Iterator[str]:
    for scenario, site in project.resources(SITE):
        scale = site.properties["functionAppConfig"]["scaleAndConcurrency"]
        if scale["instanceMemoryMB"] not in MEMORY_MB:
            yield f"{scenario}: no instance has {scale['instanceMemoryMB']} MB"
        if not FEWEST_INSTANCES <= scale["maximumInstanceCount"] <= MOST_INSTANCES:
            yield f"{scenario}: at most {scale['maximumInstanceCount']} instances"
        if scale.get("triggers", {}).get("http", {}).get("perInstanceConcurrency", 1) < 2:
            yield f"{scenario}: every stream would take an instance of its own"


def always_ready_groups_exist(project: Project) -> Iterator[str]:
    groups = {"http", *(f"function:{name}" for name in _functions_scaled_alone())}
    for scenario, site in project.resources(SITE):
        ready = site.properties["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"]
        for entry in ready:
            if entry["name"] not in groups:
                yield f"{scenario}: nothing scales as the group {entry['name']}; there are {sorted(groups)}"
            if _zones(project, scenario) and entry["instanceCount"] < PER_ZONE_GROUP:
                yield f"{scenario}: {entry['name']} needs two always-ready instances for two zones"
    names = {entry["name"] for _, site in project.resources(SITE) for entry in _ready(site)}
    if {"http", "function:answer_interactive"} - names:
        yield f"no profile keeps http and the interactive lane warm, only {sorted(names)}"


def _ready(site: Resource) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.properties["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"]
    return found


def _zones(project: Project, scenario: str) -> bool:
    return any(where == scenario and plan.properties.get("zoneRedundant") for where, plan in project.resources(PLAN))


def _functions_scaled_alone() -> set[str]:
    """The names of functions that have instances of their own: those without an HTTP trigger."""
    return {name for name, bindings in app_functions().items() if SCALED_ALONE & {one["type"] for one in bindings}}


RULES: tuple[Rule, ...] = (
    the_plan_is_flex_consumption,
    the_app_runs_python_3_13,
    the_app_deploys_with_its_identity,
    scaling_is_within_the_plan,
    always_ready_groups_exist,
)
