// Spillway on Azure: one resource group, keyless throughout. docs/deployment.md explains the parameters.
targetScope = 'subscription'

@description('Name of the azd environment; part of the resource group\'s name and the value of its tag.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of everything but the models, which the model table can spread over more regions.')
@minLength(1)
param location string

@description('Which table of model deployments to use: a file in infra/models.')
@allowed(['dev', 'prod', 'provisioned', 'own'])
param modelTable string = 'dev'

@description('How the models filter content. Asynchronous filtering streams smoothly and flags late.')
@allowed(['Default', 'Blocking', 'Asynchronous_filter'])
param contentFilterMode string = 'Default'

@allowed(['Standard', 'Premium'])
param serviceBusSku string = 'Standard'

@description('Messaging units of Premium.')
@allowed([1, 2, 4, 8, 16])
param serviceBusUnits int = 1

@allowed(['serverless', 'autoscale'])
param cosmosMode string = 'serverless'

@description('Highest request units a second of each container in autoscale mode; it idles at a tenth.')
@minValue(1000)
param cosmosMaxThroughput int = 1000

@allowed([512, 2048, 4096])
param instanceMemoryMb int = 2048

@description('Most on-demand instances of one function group. It is no limit on the load of the models.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 100

@description('Requests, and so streams, that one instance serves at the same time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 100

@description('Instances that always run for HTTP; 0 lets the app scale to zero.')
@minValue(0)
param alwaysReadyHttp int = 0

@description('Instances that always run for the interactive lane.')
@minValue(0)
param alwaysReadyInteractive int = 0

@description('Spread over availability zones. Always-ready groups then need two instances.')
param zoneRedundant bool = false

@description('Reach storage, queues, database and models over private endpoints only. Implies Service Bus Premium.')
param privateNetwork bool = false

@description('Put API Management in front.')
param apiManagement bool = false

@description('Who may ask: callers with an API key, or callers with a Microsoft Entra access token.')
@allowed(['key', 'entra'])
param auth string = 'key'

@description('Client id of the app registration that callers ask tokens for; only with entra.')
param entraClientId string = ''

@description('SHA-256 of the operator\'s API key in hexadecimal; the key itself never reaches Azure.')
param operatorKeySha256 string = ''

@description('Tenant of the operator\'s key: whose sessions and knowledge it opens.')
@minLength(1)
param operatorTenant string = 'default'

@description('Where alerts and budget warnings go; API Management has it as its publisher.')
param alertEmail string = ''

@description('Evaluate the alerts of infra/alerts. Azure charges for each rule.')
param alerts bool = true

@description('Monthly budget in the currency of the subscription; 0 for none.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the budget\'s first month. Azure does not let it change afterwards.')
param budgetStart string = '${utcNow('yyyy-MM')}-01'

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most gigabytes of logs a day; -1 for no limit.')
param logDailyCapGb int = 5

// Letters and digits only, so that a name is valid whatever the environment is called.
var alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789-'
var letters = map(range(0, length(environmentName)), i => substring(environmentName, i, 1))
var readableName = take(join(filter(letters, letter => contains(alphabet, toLower(letter))), ''), 40)
var token = toLower(uniqueString(subscription().id, environmentName, location))

var names = {
  resourceGroup: 'rg-spillway-${readableName}-${token}'
  identity: 'id-spillway-${token}'
  workspace: 'log-spillway-${token}'
  appInsights: 'appi-spillway-${token}'
  actionGroup: 'ag-spillway-${token}'
  storage: 'st${token}'
  serviceBus: 'sbns-spillway-${token}'
  cosmos: 'cosmos-spillway-${token}'
  models: 'oai-spillway-${token}'
  plan: 'plan-spillway-${token}'
  app: 'func-spillway-${token}'
  network: 'vnet-spillway-${token}'
  apiManagement: 'apim-spillway-${token}'
  budget: 'budget-spillway-${token}'
  alert: 'alert-spillway-${token}'
}
var tags = { 'azd-env-name': environmentName, application: 'spillway' }
var deploymentContainer = 'app-package'
var database = 'spillway'
var serviceBusTier = privateNetwork ? 'Premium' : serviceBusSku

var tables = {
  dev: loadJsonContent('models/dev.json')
  prod: loadJsonContent('models/prod.json')
  provisioned: loadJsonContent('models/provisioned.json')
  own: loadJsonContent('models/own.json')
}
// Entries differ in what they say, so their type is left open.
var table = any(tables[modelTable])

// An entry with an endpoint is somebody's own account: it is used and not created.
var rows = [for row in table: {
  name: row.name
  model: row.model
  kind: row.kind
  own: contains(row, 'endpoint')
  endpoint: row.?endpoint ?? ''
  deployment: row.?deployment ?? (row.name)
  version: row.?version ?? ''
  region: toLower(replace(row.?region ?? location, ' ', ''))
  sku: row.?sku ?? 'GlobalStandard'
  capacity: row.?capacity ?? 0
  spillover: row.?spillover ?? ''
  tokensPerMinute: row.?tokensPerMinute ?? ((row.?capacity ?? 0) * 1000)
  requestsPerMinute: row.requestsPerMinute
}]
var created = filter(rows, row => !row.own)
var regions = union([], map(created, row => row.region))
var deployments = [for row in rows: {
  name: row.name
  model: row.model
  kind: row.kind
  endpoint: row.own ? row.endpoint : 'https://${names.models}-${row.region}.openai.azure.com/openai/v1/'
  deployment: row.deployment
  tier: contains(row.sku, 'Provisioned') ? 'provisioned' : 'standard'
  region: row.region
  tokens_per_minute: row.tokensPerMinute
  requests_per_minute: row.requestsPerMinute
}]
var chatModels = map(filter(rows, row => row.kind == 'chat'), row => row.model)

var operatorKeys = empty(operatorKeySha256) ? [] : [
  { sha256: toLower(operatorKeySha256), tenant: operatorTenant, operator: true }
]
var apiKeys = concat(operatorKeys, loadJsonContent('keys.json'))

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: names.resourceGroup
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: names.identity, location: location, tags: tags }
}

module monitoring 'app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: names.workspace
    appInsightsName: names.appInsights
    actionGroupName: names.actionGroup
    location: location
    tags: tags
    alertEmail: alertEmail
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: names.storage
    location: location
    tags: tags
    containerName: deploymentContainer
    zoneRedundant: zoneRedundant
    publicAccess: !privateNetwork
  }
}

module serviceBus 'app/service-bus.bicep' = {
  name: 'service-bus'
  scope: group
  params: {
    name: names.serviceBus
    location: location
    tags: tags
    sku: serviceBusTier
    units: serviceBusUnits
    publicAccess: !privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module cosmos 'app/cosmos.bicep' = {
  name: 'cosmos'
  scope: group
  params: {
    name: names.cosmos
    location: location
    tags: tags
    databaseName: database
    mode: cosmosMode
    maxThroughput: cosmosMaxThroughput
    zoneRedundant: zoneRedundant
    publicAccess: !privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module models 'app/models.bicep' = [for region in regions: {
  name: 'models-${region}'
  scope: group
  params: {
    name: '${names.models}-${region}'
    location: region
    tags: tags
    deployments: filter(created, row => row.region == region)
    contentFilterMode: contentFilterMode
    publicAccess: !privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}]

module network 'app/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    name: names.network
    location: location
    tags: tags
    storageId: storage.outputs.id
    serviceBusId: serviceBus.outputs.id
    cosmosId: cosmos.outputs.id
    modelAccounts: [for (region, i) in regions: { region: region, id: models[i].outputs.id }]
  }
}

module rbac 'app/rbac.bicep' = {
  name: 'rbac'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    serviceBusName: serviceBus.outputs.name
    cosmosName: cosmos.outputs.name
    databaseName: database
    appInsightsName: monitoring.outputs.appInsightsName
    modelAccountNames: [for (region, i) in regions: models[i].outputs.name]
  }
}

module app 'app/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: tags
    serviceName: 'api'
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    deploymentContainer: deploymentContainer
    appInsightsName: monitoring.outputs.appInsightsName
    instanceMemoryMb: instanceMemoryMb
    maximumInstances: maximumInstances
    httpConcurrency: httpConcurrency
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyInteractive: alwaysReadyInteractive
    zoneRedundant: zoneRedundant
    subnetId: privateNetwork ? network.outputs.appSubnetId : ''
    auth: auth
    entraClientId: entraClientId
    workbookId: workbook.outputs.id
    settings: union(loadJsonContent('settings.json'), {
      COSMOS_ENDPOINT: cosmos.outputs.endpoint
      COSMOS_DATABASE: database
      ServiceBusConnection__fullyQualifiedNamespace: serviceBus.outputs.fullyQualifiedNamespace
      SPILLWAY_DEPLOYMENTS: string(deployments)
      SPILLWAY_DEFAULT_MODEL: chatModels[0]
      SPILLWAY_AUTH: auth
      SPILLWAY_API_KEYS: string(apiKeys)
    })
  }
  // Roles take a while to reach every service, so they are given before the app exists.
  dependsOn: [rbac]
}

module front 'app/api-management.bicep' = if (apiManagement) {
  name: 'api-management'
  scope: group
  params: {
    name: names.apiManagement
    location: location
    tags: tags
    appUrl: app.outputs.url
    publisherEmail: alertEmail
  }
}

module alertRules 'app/alerts.bicep' = if (alerts) {
  name: 'alerts'
  scope: group
  params: {
    namePrefix: names.alert
    location: location
    tags: tags
    appInsightsName: monitoring.outputs.appInsightsName
    actionGroupId: monitoring.outputs.actionGroupId
  }
}

module workbook 'app/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    appInsightsName: monitoring.outputs.appInsightsName
  }
}

module budget 'app/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  scope: group
  params: {
    name: names.budget
    amount: monthlyBudget
    startDate: budgetStart
    actionGroupId: monitoring.outputs.actionGroupId
  }
}

// Outputs become variables of the azd environment. None is a secret.
output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = subscription().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output AZURE_APP_INSIGHTS_NAME string = monitoring.outputs.appInsightsName
output AZURE_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output SPILLWAY_URL string = app.outputs.url
output SPILLWAY_FRONT_URL string = apiManagement ? front.outputs.url : ''
output SPILLWAY_MODEL string = chatModels[0]
output SPILLWAY_MODEL_REGIONS string = join(regions, ',')
