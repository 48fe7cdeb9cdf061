"""Mistakes that people make in a deployment, and the rule that has to see each."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.infra.rules.project import ROOT


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake: a text of a file replaced by another.

    Attributes:
        name: The mistake in words.
        file: Path in the repository.
        old: Text that is there now, exactly once unless `every` is set.
        rule: Name of the rule that has to find it.
    """

    name: str
    file: str
    old: str
    new: str
    rule: str
    every: bool = False

    def apply(self, folder: Path) -> None:
        """Makes the mistake in a copy.

        Raises:
            ValueError: The text is not there, so the mutation itself is out of date.
        """
        path = folder / self.file
        text = path.read_text()
        if text.count(self.old) != 1 and not (self.every and self.old in text):
            raise ValueError(f"{self.file} has {text.count(self.old)} times {self.old!r}")
        path.write_text(text.replace(self.old, self.new))


def copied(folder: Path) -> Path:
    """A copy of everything that describes the deployment."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=ignored)
    for name in ("azure.yaml", ".funcignore"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def _rows(table: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((ROOT / "infra" / "models" / f"{table}.json").read_text())
    return found


MAIN, APP, RBAC = "infra/main.bicep", "infra/app/app.bicep", "infra/app/rbac.bicep"
BUS, COSMOS, MODELS = "infra/app/service-bus.bicep", "infra/app/cosmos.bicep", "infra/app/models.bicep"
NETWORK, STORAGE = "infra/app/network.bicep", "infra/app/storage.bicep"
PARAMETERS = "infra/main.parameters.json"
ALERTS, TABLE, WORKBOOK = "infra/app/alerts.bicep", "infra/alerts/alerts.json", "infra/app/workbook.bicep"

MUTATIONS = (
    # Queues
    Mutation(
        "expired turns are dropped",
        BUS,
        "deadLetteringOnMessageExpiration: true",
        "deadLetteringOnMessageExpiration: false",
        "expired_turns_become_dead_letters",
    ),
    Mutation(
        "a message is given up earlier than locally",
        BUS,
        "maxDeliveryCount: 5",
        "maxDeliveryCount: 3",
        "queues_are_as_local_runs_declare_them",
    ),
    Mutation(
        "a lock longer than the service allows",
        BUS,
        "lockDuration: 'PT1M'",
        "lockDuration: 'PT10M'",
        "locks_are_within_the_limit",
        every=True,
    ),
    Mutation("a lane without its queue", BUS, "'chat-batch'", "'chat-bulk'", "triggers_have_their_queues"),
    Mutation(
        "replies without sessions",
        BUS,
        "requiresSession: true",
        "requiresSession: false",
        "queues_are_as_local_runs_declare_them",
    ),
    Mutation("one queue twice", BUS, "'evaluations'", "'chat-batch'", "resources_are_declared_once"),
    # Database
    Mutation(
        "an index mode that ends no item",
        COSMOS,
        "indexingMode: 'consistent'",
        "indexingMode: 'none'",
        "items_can_end",
        every=True,
    ),
    Mutation(
        "another partition key than locally",
        COSMOS,
        "paths: ['/tenant', '/session_id']",
        "paths: ['/session_id']",
        "containers_are_as_local_runs_declare_them",
    ),
    Mutation(
        "vectors of another length",
        COSMOS,
        "dimensions: 256",
        "dimensions: 1536",
        "containers_are_as_local_runs_declare_them",
        every=True,
    ),
    Mutation(
        "a hierarchical key as a plain one",
        COSMOS,
        "length(item.paths) > 1 ? 'MultiHash' : 'Hash'",
        "'Hash'",
        "partition_keys_are_of_the_right_kind",
    ),
    Mutation(
        "an index left out that the sweeper needs",
        COSMOS,
        "        { path: '/lease_until/?' }\n",
        "",
        "queries_find_an_index",
    ),
    Mutation(
        "items that never end",
        COSMOS,
        "defaultTtl: -1",
        "defaultTtl: null",
        "containers_are_as_local_runs_declare_them",
    ),
    Mutation(
        "no vector index",
        COSMOS,
        "path: '/vector', type:",
        "path: '/vectors', type:",
        "vectors_are_indexed_once",
        every=True,
    ),
    Mutation(
        "throughput on a serverless account",
        COSMOS,
        "options: serverless ? {} :",
        "options: !serverless ? {} :",
        "throughput_fits_the_account",
    ),
    # Roles
    Mutation(
        "the role on the queues is gone",
        RBAC,
        "  scope: serviceBus\n",
        "  scope: storage\n",
        "roles_are_sufficient",
    ),
    Mutation(
        "a wrong digit in a role's id",
        RBAC,
        "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
        "5e0bd9bd-7b93-4f28-af87-19fc36ad61be",
        "roles_are_known_and_on_the_right_service",
    ),
    Mutation(
        "a sender that cannot receive",
        RBAC,
        "090c5cfd-751d-490a-894a-3ce6f1109419",
        "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
        "roles_are_sufficient",
    ),
    Mutation(
        "a role that nothing needs",
        RBAC,
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "no_role_is_needless",
    ),
    Mutation(
        "an assignment that fails while the identity is new",
        RBAC,
        "    principalType: 'ServicePrincipal'\n",
        "",
        "assignments_are_repeatable",
        every=True,
    ),
    Mutation(
        "roles for the client id",
        MAIN,
        "principalId: identity.outputs.principalId",
        "principalId: identity.outputs.clientId",
        "assignments_are_repeatable",
    ),
    Mutation(
        "one name for two assignments",
        RBAC,
        "guid(modelAccounts[i].id, principalId, openAiUser)",
        "guid(principalId, openAiUser)",
        "assignments_are_repeatable",
    ),
    Mutation(
        "a comment that names another role",
        RBAC,
        "// Storage Blob Data Owner:",
        "// Storage Blob Data Reader:",
        "roles_are_given_in_one_place_and_named",
    ),
    # Settings
    Mutation(
        "a required setting is missing",
        MAIN,
        "      COSMOS_ENDPOINT: cosmos.outputs.endpoint\n",
        "",
        "the_app_starts_with_its_settings",
    ),
    Mutation(
        "a setting with a typing error",
        MAIN,
        "SPILLWAY_DEFAULT_MODEL:",
        "SPILLWAY_DEFUALT_MODEL:",
        "every_setting_given_is_read",
    ),
    Mutation(
        "deployments as an array instead of text",
        MAIN,
        "SPILLWAY_DEPLOYMENTS: string(deployments)",
        "SPILLWAY_DEPLOYMENTS: string({ all: deployments })",
        "the_app_starts_with_its_settings",
    ),
    Mutation(
        "the sweeper's schedule is missing",
        "infra/settings.json",
        '  "SPILLWAY_SWEEP_SCHEDULE": "*/15 * * * * *",\n',
        "",
        "settings_of_bindings_are_given",
    ),
    Mutation(
        "a setting that the plan refuses",
        APP,
        "    AZURE_CLIENT_ID: identityClientId\n",
        "    AZURE_CLIENT_ID: identityClientId\n    FUNCTIONS_WORKER_RUNTIME: 'python'\n",
        "settings_that_the_plan_refuses_are_absent",
    ),
    Mutation(
        "triggers that do not know their identity",
        APP,
        "    ServiceBusConnection__clientId: identityClientId\n",
        "",
        "connections_use_the_identity",
    ),
    Mutation(
        "a console that does not know where telemetry is",
        APP,
        "    SPILLWAY_QUERY_ENDPOINT: 'https://api.applicationinsights.io/v1/apps/${appInsights.properties.AppId}/query'\n",
        "",
        "the_console_is_told_where_telemetry_and_workbook_are",
    ),
    Mutation(
        "a link that leads to no workbook",
        APP,
        "/resource${workbookId}/workbook'",
        "/resource/workbook'",
        "the_console_is_told_where_telemetry_and_workbook_are",
    ),
    Mutation(
        "telemetry with a key",
        APP,
        "    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'\n",
        "",
        "telemetry_is_on",
    ),
    Mutation(
        "triggers of another connection",
        MAIN,
        "ServiceBusConnection__fullyQualifiedNamespace",
        "ServiceBus__fullyQualifiedNamespace",
        "connections_of_triggers_are_known",
    ),
    # Security
    Mutation(
        "an identity that ends with the app",
        APP,
        "identity: { type: 'UserAssigned',",
        "identity: { type: 'SystemAssigned',",
        "identities_are_user_assigned",
    ),
    Mutation(
        "an output that is no variable",
        MAIN,
        "output SPILLWAY_MODEL string",
        "output spillwayModel string",
        "outputs_are_variables",
    ),
    Mutation(
        "keys of the queues work",
        BUS,
        "disableLocalAuth: true",
        "disableLocalAuth: false",
        "keys_and_plain_text_are_off",
    ),
    Mutation(
        "keys of the models work",
        MODELS,
        "    disableLocalAuth: true\n",
        "",
        "keys_and_plain_text_are_off",
    ),
    Mutation(
        "shared keys of the storage work",
        STORAGE,
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "keys_and_plain_text_are_off",
    ),
    Mutation("plain HTTP", APP, "httpsOnly: true", "httpsOnly: false", "keys_and_plain_text_are_off"),
    Mutation(
        "an identity header that nothing verifies",
        APP,
        "= if (auth == 'entra') {",
        "= if (auth == 'key') {",
        "entra_is_verified_before_it_is_trusted",
    ),
    Mutation(
        "the header is trusted before it is verified",
        APP,
        "  dependsOn: [authentication]\n",
        "",
        "entra_is_verified_before_it_is_trusted",
    ),
    Mutation(
        "a connection string among the outputs",
        "infra/app/monitoring.bicep",
        "output workspaceId string = workspace.id\n",
        "output workspaceId string = workspace.id\noutput telemetry string = appInsights.properties.ConnectionString\n",
        "outputs_hold_no_secret",
    ),
    Mutation(
        "a key's hash among the outputs",
        MAIN,
        "output AZURE_LOCATION string = location\n",
        "output AZURE_LOCATION string = location\noutput OPERATOR string = operatorKeySha256\n",
        "outputs_hold_no_secret",
    ),
    Mutation(
        "nobody sees the metrics of the queues",
        BUS,
        "    metrics: [{ category: 'AllMetrics', enabled: true }]\n",
        "    metrics: []\n",
        "diagnostics_reach_the_workspace",
    ),
    # Platform
    Mutation(
        "a plan of the past",
        APP,
        "{ name: 'FC1', tier: 'FlexConsumption' }",
        "{ name: 'Y1', tier: 'Dynamic' }",
        "the_plan_is_flex_consumption",
    ),
    Mutation("another Python", APP, "version: '3.13'", "version: '3.11'", "the_app_runs_python_3_13"),
    Mutation(
        "an always-ready group that does not exist",
        APP,
        "'function:answer_interactive'",
        "'function:answer_turn'",
        "always_ready_groups_exist",
    ),
    Mutation(
        "one stream an instance",
        APP,
        "        triggers: { http: { perInstanceConcurrency: httpConcurrency } }\n",
        "",
        "scaling_is_within_the_plan",
    ),
    Mutation(
        "a package container that nobody creates",
        STORAGE,
        "  name: containerName\n",
        "  name: 'deployments'\n",
        "the_app_deploys_with_its_identity",
    ),
    Mutation(
        "an API version that nobody has seen",
        APP,
        "'Microsoft.Web/serverfarms@2024-11-01'",
        "'Microsoft.Web/serverfarms@2042-11-01'",
        "api_versions_are_known",
    ),
    # Models
    Mutation(
        "deployments written all at once",
        MODELS,
        "@batchSize(1)\n",
        "",
        "deployments_are_written_one_at_a_time",
    ),
    Mutation(
        "an account that takes no tokens",
        MODELS,
        "    customSubDomainName: name\n",
        "",
        "accounts_take_tokens",
    ),
    Mutation(
        "a deployment list with another quota than Azure's",
        MAIN,
        "((row.?capacity ?? 0) * 1000)",
        "((row.?capacity ?? 0) * 100)",
        "the_app_is_told_the_truth",
    ),
    Mutation(
        "spillover to a deployment in another region",
        "infra/models/provisioned.json",
        '"spillover": "chat-swedencentral"',
        '"spillover": "chat-eastus2"',
        "spillover_stays_in_the_account",
    ),
    Mutation(
        "no content filter",
        MODELS,
        "    raiPolicyName: contentFilter.name\n",
        "",
        "deployments_are_complete",
    ),
    Mutation(
        "two deployments of one name",
        "infra/models/prod.json",
        '"name": "chat-eastus2"',
        '"name": "chat-francecentral"',
        "tables_are_sound",
    ),
    # Names
    Mutation(
        "a storage account with a hyphen",
        MAIN,
        "storage: 'st${token}'",
        "storage: 'st-${token}'",
        "names_are_valid",
    ),
    Mutation(
        "a group called as the environment",
        MAIN,
        "'rg-spillway-${readableName}-${token}'",
        "'rg-${environmentName}'",
        "names_are_valid_whatever_the_environment_is_called",
    ),
    Mutation(
        "one app name for all customers",
        MAIN,
        "app: 'func-spillway-${token}'",
        "app: 'func-spillway'",
        "public_names_differ_between_environments",
    ),
    # Network
    Mutation("zones that nobody asks", NETWORK, "parent: zones[i]", "parent: zones[0]", "zones_are_linked"),
    Mutation(
        "a subnet for another plan",
        NETWORK,
        "'Microsoft.App/environments'",
        "'Microsoft.Web/serverFarms'",
        "the_app_has_a_subnet_of_its_own",
    ),
    Mutation(
        "a public store in a private network",
        MAIN,
        "    mode: cosmosMode\n    maxThroughput: cosmosMaxThroughput\n    zoneRedundant: zoneRedundant\n"
        "    publicAccess: !privateNetwork\n",
        "    mode: cosmosMode\n    maxThroughput: cosmosMaxThroughput\n    zoneRedundant: zoneRedundant\n"
        "    publicAccess: true\n",
        "what_the_app_calls_is_private",
    ),
    Mutation(
        "an endpoint of the wrong group", NETWORK, "groupId: 'Sql'", "groupId: 'sql'", "every_service_has_its_endpoint"
    ),
    Mutation(
        "a private namespace without Premium",
        MAIN,
        "privateNetwork ? 'Premium' : serviceBusSku",
        "serviceBusSku",
        "private_queues_are_premium",
    ),
    # azd
    Mutation(
        "the app without azd's tag",
        APP,
        "union(tags, { 'azd-service-name': serviceName })",
        "tags",
        "the_app_is_found_by_azd",
    ),
    Mutation(
        "a resource without the environment's tag",
        BUS,
        "  tags: tags\n",
        "",
        "resources_carry_the_environment",
    ),
    Mutation(
        "a hook that is not there",
        "azure.yaml",
        "infra.hooks.postdeploy",
        "infra.hooks.seed",
        "hooks_exist",
        every=True,
    ),
    Mutation(
        "a parameter that azd does not fill in",
        PARAMETERS,
        '    "contentFilterMode": { "value": "${SPILLWAY_CONTENT_FILTER_MODE=Default}" },\n',
        "",
        "parameters_are_complete",
    ),
    Mutation(
        "a profile with a typing error",
        "infra/profiles/prod.env",
        "SPILLWAY_MAXIMUM_INSTANCES",
        "SPILLWAY_MAX_INSTANCES",
        "profiles_set_what_is_read",
    ),
    Mutation(
        "every origin let in",
        APP,
        "siteConfig: { minTlsVersion: '1.2'",
        "siteConfig: { cors: { allowedOrigins: ['*'] }, minTlsVersion: '1.2'",
        "no_other_origin_is_let_in",
    ),
    Mutation("tests in the package", ".funcignore", "tests/\n", "", "the_package_holds_the_app_and_nothing_else"),
    Mutation(
        "a question that azd would ask everybody",
        PARAMETERS,
        "${SPILLWAY_ALERT_EMAIL=}",
        "${SPILLWAY_ALERT_EMAIL}",
        "variables_have_defaults",
    ),
    # Alerts and workbook
    Mutation(
        "an alert with the query of another",
        ALERTS,
        "ledger_away: loadTextContent('../alerts/ledger_away.kql')",
        "ledger_away: loadTextContent('../alerts/heartbeat.kql')",
        "alerts_are_those_of_the_table",
    ),
    Mutation(
        "parameters that the query does not get",
        ALERTS,
        "union({ lag: table.lag }, alert.parameters)",
        "union({ lag: table.lag }, {})",
        "alerts_are_those_of_the_table",
    ),
    Mutation(
        "an alert that fires when nothing is found",
        ALERTS,
        "operator: 'GreaterThan'",
        "operator: 'LessThanOrEqual'",
        "alerts_are_those_of_the_table",
    ),
    Mutation("alerts nowhere", MAIN, "= if (alerts) {", "= if (!alerts) {", "alerts_are_those_of_the_table"),
    Mutation("a window of three days", TABLE, '"P2D"', '"P3D"', "alert_windows_are_within_azures", every=True),
    Mutation(
        "an alert that leaves gaps",
        TABLE,
        '"window": "PT2H"',
        '"window": "PT5M"',
        "alert_windows_are_within_azures",
        every=True,
    ),
    Mutation(
        "a query that looks back further than its window",
        "infra/alerts/runs_lost.kql",
        "ago(15m + lag)",
        "ago(6h + lag)",
        "alerts_wait_for_telemetry",
    ),
    Mutation(
        "an alert on telemetry that is still on its way",
        "infra/alerts/heartbeat.kql",
        ".. ago(lag))",
        ".. ago(0m))",
        "alerts_wait_for_telemetry",
    ),
    Mutation("no patience with late telemetry", TABLE, '"lag": "5m"', '"lag": "1m"', "alerts_wait_for_telemetry"),
    Mutation(
        "a query that no alert asks",
        TABLE,
        '"query": "judge_errors"',
        '"query": "dead_letters"',
        "every_alert_query_is_used",
    ),
    Mutation(
        "alerts that nobody hears of",
        ALERTS,
        "actionGroups: [actionGroupId]",
        "actionGroups: []",
        "alerts_reach_somebody",
    ),
    Mutation(
        "alerts over another resource",
        ALERTS,
        "scopes: [appInsights.id]",
        "scopes: [actionGroupId]",
        "alerts_reach_somebody",
    ),
    Mutation(
        "a workbook of another resource",
        WORKBOOK,
        "sourceId: appInsights.id",
        "sourceId: 'azure monitor'",
        "the_workbook_shows_this_environment",
    ),
    Mutation(
        "a workbook whose queries find no telemetry",
        WORKBOOK,
        "{ fallbackResourceIds: [appInsights.id] }",
        "{ fallbackResourceIds: [] }",
        "the_workbook_shows_this_environment",
    ),
    # The language
    Mutation(
        "a parameter that nobody explains",
        MAIN,
        "@description('Put API Management in front.')\n",
        "",
        "descriptions_are_given",
    ),
    Mutation(
        "a module called with a parameter it has not",
        MAIN,
        "    serviceName: 'api'\n",
        "    service: 'api'\n",
        "it_evaluates",
    ),
    Mutation("a property that nobody declares", MAIN, "cosmos.outputs.endpoint", "cosmos.outputs.uri", "it_evaluates"),
    Mutation(
        "a bracket too few",
        COSMOS,
        "var serverless = mode == 'serverless'",
        "var serverless = (mode ==",
        "it_evaluates",
    ),
    Mutation(
        "a variable nobody uses",
        APP,
        "var alwaysReady = [",
        "var spare = 1\n\nvar alwaysReady = [",
        "declarations_are_used",
    ),
)
