"""Alerts and the workbook, and the language itself."""

from tests.infra.mutations.mutation import ALERTS, APP, COSMOS, MAIN, TABLE, WORKBOOK, Mutation

MUTATIONS = (
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
