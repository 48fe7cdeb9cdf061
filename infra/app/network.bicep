// Private endpoints for everything the app calls. The app itself stays reachable from the internet.
param name string
param location string
param tags object
param storageId string
param serviceBusId string
param cosmosId string
param modelAccounts array

var zoneNames = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.servicebus.windows.net'
  'privatelink.documents.azure.com'
  'privatelink.openai.azure.com'
]

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/16'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.20.0.0/22'
          delegations: [
            { name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.20.8.0/24', privateEndpointNetworkPolicies: 'Disabled' }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zone in zoneNames: {
  name: zone
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zone, i) in zoneNames: {
  parent: zones[i]
  name: 'spillway'
  location: 'global'
  tags: tags
  properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
}]

var endpointSubnetId = '${network.id}/subnets/endpoints'

module storageEndpoint 'private-endpoint.bicep' = {
  name: 'endpoint-storage'
  params: {
    name: '${name}-storage'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    resourceId: storageId
    groupId: 'blob'
    zoneId: zones[0].id
  }
}

module serviceBusEndpoint 'private-endpoint.bicep' = {
  name: 'endpoint-service-bus'
  params: {
    name: '${name}-service-bus'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    resourceId: serviceBusId
    groupId: 'namespace'
    zoneId: zones[1].id
  }
}

module cosmosEndpoint 'private-endpoint.bicep' = {
  name: 'endpoint-cosmos'
  params: {
    name: '${name}-cosmos'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    resourceId: cosmosId
    groupId: 'Sql'
    zoneId: zones[2].id
  }
}

module modelEndpoints 'private-endpoint.bicep' = [for account in modelAccounts: {
  name: 'endpoint-models-${account.region}'
  params: {
    name: '${name}-models-${account.region}'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    resourceId: account.id
    groupId: 'account'
    zoneId: zones[3].id
  }
}]

output appSubnetId string = '${network.id}/subnets/app'
