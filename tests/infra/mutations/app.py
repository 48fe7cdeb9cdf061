"""Settings, the platform, and names."""

from tests.infra.mutations.mutation import APP, MAIN, STORAGE, Mutation

MUTATIONS = (
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
)
