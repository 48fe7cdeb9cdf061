// Every role of the app's identity, and nothing else grants any. tests/infra holds the list against the SDK calls.
param principalId string
param storageName string
param serviceBusName string
param cosmosName string
param databaseName string
param appInsightsName string
param modelAccountNames array

// Storage Blob Data Owner: the host reads the package and holds the timer's lock.
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
// Azure Service Bus Data Owner: send, receive, and the queue lengths that instances are scaled by.
var serviceBusDataOwner = '090c5cfd-751d-490a-894a-3ce6f1109419'
// Cognitive Services OpenAI User: call deployments, change none.
var openAiUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
// Monitoring Metrics Publisher: send telemetry without a key.
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
// Monitoring Reader: the console's queries over the app's own telemetry.
var monitoringReader = '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
// Cosmos DB Built-in Data Contributor: read and write items; a role of the database's own, not of Azure's.
var cosmosDataContributor = '00000000-0000-0000-0000-000000000002'

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName
}

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' existing = {
  name: cosmosName
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

resource modelAccounts 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = [for name in modelAccountNames: {
  name: name
}]

resource storageRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, principalId, storageBlobDataOwner)
  scope: storage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
  }
}

resource serviceBusRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(serviceBus.id, principalId, serviceBusDataOwner)
  scope: serviceBus
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusDataOwner)
  }
}

resource telemetryRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(appInsights.id, principalId, monitoringMetricsPublisher)
  scope: appInsights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
  }
}

resource telemetryReaderRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(appInsights.id, principalId, monitoringReader)
  scope: appInsights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringReader)
  }
}

resource modelRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, i) in modelAccountNames: {
  name: guid(modelAccounts[i].id, principalId, openAiUser)
  scope: modelAccounts[i]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', openAiUser)
  }
}]

resource cosmosRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = {
  parent: cosmos
  name: guid(cosmos.id, principalId, cosmosDataContributor)
  properties: {
    principalId: principalId
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${cosmosDataContributor}'
    scope: '${cosmos.id}/dbs/${databaseName}'
  }
}
