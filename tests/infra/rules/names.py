"""Names that Azure takes, whatever the environment is called."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.infra.bicep.resources import Resource
from tests.infra.rules.project import Project, Rule

HOSTILE = (
    "a",
    "Prod.",
    "A" * 64,
    "my.env_(1)",
    "--",
    "x/../../y",
    "spaces and 'quotes'",
    "ünï-cödé-🚀",
    "${token}",
    "-sb",
)
"""Names of environments, most of which azd itself would refuse."""
GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FORMS = {
    "Microsoft.Resources/resourceGroups": r"[-\w.()]{0,89}[-\w()]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Insights/components": r"[\w.()-]{0,254}[\w()-]",
    "Microsoft.Insights/actionGroups": r"[\w-]{1,260}",
    "Microsoft.Insights/scheduledQueryRules": r"[\w-]{1,260}",
    "Microsoft.Insights/workbooks": GUID,
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"[a-z0-9](-?[a-z0-9]){2,62}",
    "Microsoft.ServiceBus/namespaces": r"(?!.*-(sb|mgmt)$)[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]",
    "Microsoft.ServiceBus/namespaces/queues": r"[A-Za-z0-9][\w./-]{0,258}[A-Za-z0-9]",
    "Microsoft.DocumentDB/databaseAccounts": r"[a-z0-9][a-z0-9-]{1,42}[a-z0-9]",
    "Microsoft.CognitiveServices/accounts": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.CognitiveServices/accounts/deployments": r"[A-Za-z0-9][\w.-]{1,63}",
    "Microsoft.CognitiveServices/accounts/raiPolicies": r"[A-Za-z0-9][\w.-]*",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.ApiManagement/service": r"[A-Za-z](-?[A-Za-z0-9]){0,49}",
    "Microsoft.Consumption/budgets": r"[A-Za-z0-9_-]{1,63}",
    "Microsoft.Authorization/roleAssignments": GUID,
    "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments": GUID,
}
"""Source: Microsoft Learn, "Naming rules and restrictions for Azure resources"."""
GLOBAL = frozenset(
    {
        "Microsoft.Storage/storageAccounts",
        "Microsoft.ServiceBus/namespaces",
        "Microsoft.DocumentDB/databaseAccounts",
        "Microsoft.CognitiveServices/accounts",
        "Microsoft.Web/sites",
        "Microsoft.ApiManagement/service",
        "Microsoft.Authorization/roleAssignments",
    }
)
"""Kinds whose names no two environments may share: most become part of a public address."""


def names_are_valid(project: Project) -> Iterator[str]:
    for scenario, resource in project.created():
        yield from (f"{scenario}: {fault}" for fault in _invalid(resource))


def names_are_valid_whatever_the_environment_is_called(project: Project) -> Iterator[str]:
    for name in HOSTILE:
        result = project.deployed(AZURE_ENV_NAME=name, SPILLWAY_PRIVATE_NETWORK="true", SPILLWAY_API_MANAGEMENT="true")
        for resource in result.resources:
            yield from (f"environment {name!r}: {fault}" for fault in _invalid(resource))


def _invalid(resource: Resource) -> Iterator[str]:
    form = FORMS.get(resource.kind)
    if form is not None and re.fullmatch(form, resource.name, re.ASCII) is None:
        yield f"{resource.kind} cannot be called {resource.name!r}"
    short = resource.properties.get("groupShortName", "") if resource.body else ""
    if len(short) > 12:
        yield f"the short name {short} of an action group is longer than 12 characters"


def public_names_differ_between_environments(project: Project) -> Iterator[str]:
    first, second = (project.deployed(AZURE_ENV_NAME=name) for name in ("one", "two"))
    taken = {(entry.kind, entry.name) for entry in first.resources if entry.kind in GLOBAL}
    for entry in second.resources:
        if (entry.kind, entry.name) in taken:
            yield f"two environments would both want {entry.kind} {entry.name}"


def resources_are_declared_once(project: Project) -> Iterator[str]:
    for scenario, result in project.scenarios.items():
        ids = Counter(entry.id for entry in result.resources if not entry.existing and entry.scope is None)
        for identifier in (each for each, count in ids.items() if count > 1):
            yield f"{scenario}: {identifier} is created twice"


RULES: tuple[Rule, ...] = (
    names_are_valid,
    names_are_valid_whatever_the_environment_is_called,
    public_names_differ_between_environments,
    resources_are_declared_once,
)
