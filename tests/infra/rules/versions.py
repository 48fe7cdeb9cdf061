"""API versions that exist, and declarations that are used."""

import re
from collections.abc import Iterator

from tests.infra.bicep.template import declarations
from tests.infra.rules.project import Project, Rule

KNOWN = {
    "Microsoft.Resources/resourceGroups": {"2024-11-01"},
    "Microsoft.ManagedIdentity": {"2024-11-30"},
    "Microsoft.OperationalInsights": {"2025-02-01"},
    "Microsoft.Insights/components": {"2020-02-02"},
    "Microsoft.Insights/actionGroups": {"2023-01-01"},
    "Microsoft.Insights/diagnosticSettings": {"2021-05-01-preview"},
    "Microsoft.Insights/workbooks": {"2023-06-01", "2022-04-01"},
    "Microsoft.Insights/scheduledQueryRules": {"2023-12-01", "2022-06-15"},
    "Microsoft.Storage": {"2025-01-01"},
    "Microsoft.ServiceBus": {"2024-01-01"},
    "Microsoft.DocumentDB": {"2025-04-15"},
    "Microsoft.CognitiveServices": {"2025-06-01"},
    "Microsoft.Authorization/roleAssignments": {"2022-04-01"},
    "Microsoft.Web": {"2024-11-01"},
    "Microsoft.Network/virtualNetworks": {"2024-05-01"},
    "Microsoft.Network/privateEndpoints": {"2024-05-01"},
    "Microsoft.Network/privateDnsZones": {"2024-06-01"},
    "Microsoft.ApiManagement": {"2024-05-01"},
    "Microsoft.Consumption": {"2023-11-01"},
}
"""Versions that public templates use, by type or by provider."""


def api_versions_are_known(project: Project) -> Iterator[str]:
    for path in sorted(project.infra.rglob("*.bicep")):
        for kind, version in re.findall(r"'(Microsoft\.[\w./]+)@([\w-]+)'", path.read_text()):
            known = next((KNOWN[name] for name in _longest_first() if f"{kind}/".startswith(f"{name}/")), set())
            if version not in known:
                yield f"{path.name}: {kind}@{version} is not among {sorted(known)}"


def _longest_first() -> list[str]:
    return sorted(KNOWN, key=len, reverse=True)


def declarations_are_used(project: Project) -> Iterator[str]:
    for path in sorted(project.infra.rglob("*.bicep")):
        source = re.sub(r"(?m)^\s*//.*$", "", path.read_text())
        for entry in declarations(path.read_bytes(), path.name):
            uses = len(re.findall(rf"\b{entry.name}\b", source))
            if entry.what in {"parameter", "variable"} and uses < 2:
                yield f"{path.name}: {entry.name} is not used"


def descriptions_are_given(project: Project) -> Iterator[str]:
    main = project.infra / "main.bicep"
    for entry in declarations(main.read_bytes(), main.name):
        if entry.what == "parameter" and "description" not in entry.decorators and "allowed" not in entry.decorators:
            yield f"the parameter {entry.name} has no description"


RULES: tuple[Rule, ...] = (api_versions_are_known, declarations_are_used, descriptions_are_given)
