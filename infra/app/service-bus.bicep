// The lanes, the evaluations and the relay. local/queues.json declares the same queues for local runs; a test compares the two.
param name string
param location string
param tags object
param sku string
param units int
param publicAccess bool
param workspaceId string

var work = {
  lockDuration: 'PT1M'
  maxDeliveryCount: 5
  defaultMessageTimeToLive: 'PT1H'
  deadLetteringOnMessageExpiration: true
  requiresDuplicateDetection: true
  duplicateDetectionHistoryTimeWindow: 'PT5M'
  requiresSession: false
  enablePartitioning: false
  maxSizeInMegabytes: 5120
}
var relay = {
  lockDuration: 'PT1M'
  maxDeliveryCount: 10
  defaultMessageTimeToLive: 'PT5M'
  // News is fleeting: what nobody reads is in the database anyway.
  deadLetteringOnMessageExpiration: false
  requiresDuplicateDetection: false
  duplicateDetectionHistoryTimeWindow: 'PT5M'
  requiresSession: true
  enablePartitioning: false
  maxSizeInMegabytes: 1024
}
var queues = [
  { name: 'chat-interactive', properties: work }
  { name: 'chat-standard', properties: work }
  { name: 'chat-batch', properties: work }
  // Scoring twice does no harm, and a judge is away more often than the app.
  { name: 'evaluations', properties: union(work, { maxDeliveryCount: 10 }) }
  { name: 'replies', properties: relay }
]

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: sku == 'Premium' ? { name: sku, tier: sku, capacity: units } : { name: sku, tier: sku }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for item in queues: {
  parent: namespace
  name: item.name
  properties: item.properties
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'OperationalLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = namespace.id
output name string = namespace.name
output fullyQualifiedNamespace string = '${namespace.name}.servicebus.windows.net'
