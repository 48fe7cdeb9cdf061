"""Networks."""

from tests.infra.mutations.mutation import APP, BUS, MAIN, NETWORK, PARAMETERS, Mutation

MUTATIONS = (
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
)
