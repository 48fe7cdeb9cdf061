// Alerts over the app's telemetry. The table and the queries are those of infra/alerts, which local runs evaluate too.
param namePrefix string
param location string
param tags object
param appInsightsName string
param actionGroupId string

var table = loadJsonContent('../alerts/alerts.json')
var queries = {
  availability_burn: loadTextContent('../alerts/availability_burn.kql')
  backlog_age: loadTextContent('../alerts/backlog_age.kql')
  blocked_content: loadTextContent('../alerts/blocked_content.kql')
  canary_failing: loadTextContent('../alerts/canary_failing.kql')
  cost_anomaly: loadTextContent('../alerts/cost_anomaly.kql')
  dead_letters: loadTextContent('../alerts/dead_letters.kql')
  evaluator_silence: loadTextContent('../alerts/evaluator_silence.kql')
  first_token_burn: loadTextContent('../alerts/first_token_burn.kql')
  heartbeat: loadTextContent('../alerts/heartbeat.kql')
  judge_errors: loadTextContent('../alerts/judge_errors.kql')
  lane_stalled: loadTextContent('../alerts/lane_stalled.kql')
  ledger_away: loadTextContent('../alerts/ledger_away.kql')
  quality_dip: loadTextContent('../alerts/quality_dip.kql')
  refused_share: loadTextContent('../alerts/refused_share.kql')
  runs_lost: loadTextContent('../alerts/runs_lost.kql')
  safety_defect: loadTextContent('../alerts/safety_defect.kql')
  throttled_share: loadTextContent('../alerts/throttled_share.kql')
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in table.alerts: {
  name: '${namePrefix}-${alert.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Spillway: ${alert.title}'
    description: 'What it means and what to do: docs/alerts.md, ${alert.name}.'
    severity: alert.severity
    enabled: true
    scopes: [appInsights.id]
    targetResourceTypes: ['microsoft.insights/components']
    evaluationFrequency: alert.frequency
    windowSize: alert.window
    criteria: {
      allOf: [
        {
          query: concat(join(map(items(union({ lag: table.lag }, alert.parameters)), given => 'let ${given.key} = ${given.value};'), '\n'), '\n', queries[alert.query])
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: map(alert.split, column => { name: column, operator: 'Include', values: ['*'] })
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    // A new workspace has no rows yet; the queries are checked before they get here.
    skipQueryValidation: true
    actions: { actionGroups: [actionGroupId] }
  }
}]
