// The function app on Flex Consumption, its settings and, with entra, its authentication.
param name string
param planName string
param location string
param tags object
param serviceName string
param identityId string
param identityClientId string
param storageName string
param deploymentContainer string
param appInsightsName string
param instanceMemoryMb int
param maximumInstances int
param httpConcurrency int
param alwaysReadyHttp int
param alwaysReadyInteractive int
param zoneRedundant bool
param subnetId string
param auth string
param entraClientId string
param workbookId string
param settings object

var alwaysReady = [
  { name: 'http', instanceCount: alwaysReadyHttp }
  { name: 'function:answer_interactive', instanceCount: alwaysReadyInteractive }
]

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2', http20Enabled: true }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMb
        maximumInstanceCount: maximumInstances
        alwaysReady: filter(alwaysReady, entry => entry.instanceCount > 0)
        // Python gets one request an instance unless this says otherwise, and a stream is a long request.
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }
}

// The app answers without a caller's identity in its own words and reads the one that this layer has verified.
resource authentication 'Microsoft.Web/sites/config@2024-11-01' = if (auth == 'entra') {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [entraClientId, 'api://${entraClientId}'] }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, {
    AZURE_CLIENT_ID: identityClientId
    AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    ServiceBusConnection__credential: 'managedidentity'
    ServiceBusConnection__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: appInsights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
    PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
    // The console: where its queries are run, and where its link leads.
    SPILLWAY_QUERY_ENDPOINT: 'https://api.applicationinsights.io/v1/apps/${appInsights.properties.AppId}/query'
    SPILLWAY_WORKBOOK_URL: 'https://portal.azure.com/#@${subscription().tenantId}/resource${workbookId}/workbook'
  })
  // The app trusts the identity header once its settings say entra, so what verifies the header comes first.
  dependsOn: [authentication]
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
