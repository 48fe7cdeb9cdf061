// A front that passes every request on: one public address, and a limit for each caller before the app is reached.
param name string
param location string
param tags object
param appUrl string
param publisherEmail string

@description('Calls a minute that one key or token may make.')
param callsPerMinute int = 600

var methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']

resource service 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'BasicV2', capacity: 1 }
  properties: { publisherEmail: publisherEmail, publisherName: 'Spillway' }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'spillway'
  properties: {
    displayName: 'Spillway'
    path: ''
    protocols: ['https']
    serviceUrl: appUrl
    subscriptionRequired: false
  }
}

resource operations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = [for method in methods: {
  parent: api
  name: toLower(method)
  properties: { displayName: method, method: method, urlTemplate: '/*' }
}]

resource policy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: replace(loadTextContent('api-management.xml'), '{calls-per-minute}', string(callsPerMinute))
  }
}

output url string = service.properties.gatewayUrl
