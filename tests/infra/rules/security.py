"""No keys, no plain text, no door left open."""

from collections.abc import Iterator
from typing import Any

from tests.infra.rules.project import Project, Rule

PASSWORDS = "Microsoft.Web/sites/basicPublishingCredentialsPolicies"
KEYLESS: dict[str, dict[str, Any]] = {
    "Microsoft.ServiceBus/namespaces": {"disableLocalAuth": True, "minimumTlsVersion": "1.2"},
    "Microsoft.DocumentDB/databaseAccounts": {"disableLocalAuth": True, "minimalTlsVersion": "Tls12"},
    "Microsoft.CognitiveServices/accounts": {"disableLocalAuth": True},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.Storage/storageAccounts": {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Web/sites": {"httpsOnly": True},
    PASSWORDS: {"allow": False},
}


def keys_and_plain_text_are_off(project: Project) -> Iterator[str]:
    for scenario, resource in project.created():
        for name, wanted in KEYLESS.get(resource.kind, {}).items():
            if resource.properties.get(name) != wanted:
                yield f"{scenario}: {resource.kind} {resource.name} needs {name}: {wanted}"
    for scenario, result in project.scenarios.items():
        policies = {entry.name for entry in result.resources if entry.kind == PASSWORDS}
        if policies != {"ftp", "scm"}:
            yield f"{scenario}: publishing passwords are off for {sorted(policies)} only"


def identities_are_user_assigned(project: Project) -> Iterator[str]:
    for scenario, resource in project.created():
        identity = resource.body.get("identity")
        if resource.kind == "Microsoft.Web/sites" and (identity or {}).get("type") != "UserAssigned":
            yield f"{scenario}: {resource.name} has the identity {identity}"


def no_other_origin_is_let_in(project: Project) -> Iterator[str]:
    for scenario, resource in project.created():
        if resource.kind == "Microsoft.Web/sites" and "cors" in resource.properties.get("siteConfig", {}):
            yield f"{scenario}: {resource.name} lets pages of other origins read its answers"


def entra_is_verified_before_it_is_trusted(project: Project) -> Iterator[str]:
    for scenario, settings in project.app_settings().items():
        found = project.resources("Microsoft.Web/sites/config")
        config = {entry.name: entry for where, entry in found if where == scenario}
        guard = config.get("authsettingsV2")
        if settings.get("SPILLWAY_AUTH") == "entra":
            if guard is None or not _guards(guard.properties):
                yield f"{scenario}: the app trusts an identity header that nothing verifies"
            elif guard not in config["appsettings"].depends_on:
                yield f"{scenario}: the settings say entra before the header is verified"
        elif guard is not None:
            yield f"{scenario}: App Service authentication would refuse API keys sent as bearer tokens"


def _guards(properties: dict[str, Any]) -> bool:
    provider = properties["identityProviders"]["azureActiveDirectory"]
    enabled = properties["platform"]["enabled"] is True and provider["enabled"] is True
    return enabled and bool(provider["registration"]["clientId"]) and bool(provider["validation"]["allowedAudiences"])


def diagnostics_reach_the_workspace(project: Project) -> Iterator[str]:
    wanted = {kind for kind in KEYLESS if kind.split("/")[0] in {"Microsoft.ServiceBus", "Microsoft.DocumentDB"}}
    wanted.add("Microsoft.CognitiveServices/accounts")
    for scenario, result in project.scenarios.items():
        watched = {
            entry.scope.id
            for entry in result.resources
            if entry.kind == "Microsoft.Insights/diagnosticSettings" and entry.scope and entry.properties["metrics"]
        }
        for entry in result.resources:
            if entry.kind in wanted and not entry.existing and entry.id not in watched:
                yield f"{scenario}: nobody sees the metrics of {entry.name}"


RULES: tuple[Rule, ...] = (
    keys_and_plain_text_are_off,
    identities_are_user_assigned,
    entra_is_verified_before_it_is_trusted,
    no_other_origin_is_let_in,
    diagnostics_reach_the_workspace,
)
