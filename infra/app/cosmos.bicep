// Turns, sessions, profiles, capacity, knowledge, answers, evaluations, metrics. local/containers.json declares the same containers for
// local runs; a test compares the two. Only paths that queries filter or sort by are indexed: writes cost less.
param name string
param location string
param tags object
param databaseName string
param mode string
param maxThroughput int
param zoneRedundant bool
param publicAccess bool
param workspaceId string

var everything = {
  indexingMode: 'consistent'
  includedPaths: [{ path: '/*' }]
  excludedPaths: [{ path: '/"_etag"/?' }]
}
var nothing = {
  indexingMode: 'consistent'
  includedPaths: []
  excludedPaths: [{ path: '/*' }]
}
var containers = [
  {
    name: 'turns'
    paths: ['/id']
    vectors: []
    indexing: {
      indexingMode: 'consistent'
      includedPaths: [
        { path: '/state/?' }
        { path: '/lane/?' }
        { path: '/created_at/?' }
        { path: '/lease_until/?' }
        { path: '/deferred_until/?' }
        { path: '/due_at/?' }
        { path: '/deadline_at/?' }
      ]
      excludedPaths: [{ path: '/*' }]
    }
  }
  {
    name: 'sessions'
    paths: ['/tenant', '/session_id']
    vectors: []
    indexing: {
      indexingMode: 'consistent'
      includedPaths: [{ path: '/asked_at/?' }]
      excludedPaths: [{ path: '/*' }]
    }
  }
  { name: 'profiles', paths: ['/tenant'], vectors: [], indexing: nothing }
  { name: 'capacity', paths: ['/id'], vectors: [], indexing: nothing }
  {
    name: 'knowledge'
    paths: ['/tenant']
    vectors: [{ path: '/vector', dimensions: 256, distanceFunction: 'cosine', dataType: 'float32' }]
    indexing: {
      indexingMode: 'consistent'
      includedPaths: []
      excludedPaths: [{ path: '/*' }]
      vectorIndexes: [{ path: '/vector', type: 'quantizedFlat' }]
    }
  }
  {
    name: 'answers'
    paths: ['/tenant']
    vectors: [{ path: '/vector', dimensions: 256, distanceFunction: 'cosine', dataType: 'float32' }]
    indexing: {
      indexingMode: 'consistent'
      includedPaths: [{ path: '/alike/?' }]
      excludedPaths: [{ path: '/*' }]
      vectorIndexes: [{ path: '/vector', type: 'quantizedFlat' }]
    }
  }
  { name: 'evaluations', paths: ['/run'], vectors: [], indexing: everything }
  { name: 'metrics', paths: ['/day'], vectors: [], indexing: everything }
]
var vectorSearch = [{ name: 'EnableNoSQLVectorSearch' }]
var serverless = mode == 'serverless'

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: zoneRedundant }]
    capabilities: serverless ? concat(vectorSearch, [{ name: 'EnableServerless' }]) : vectorSearch
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-04-15' = {
  parent: account
  name: databaseName
  properties: { resource: { id: databaseName } }
}

resource container 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-04-15' = [for item in containers: {
  parent: database
  name: item.name
  properties: {
    resource: {
      id: item.name
      partitionKey: { paths: item.paths, kind: length(item.paths) > 1 ? 'MultiHash' : 'Hash', version: 2 }
      // Items say themselves when they end; those that do not say stay.
      defaultTtl: -1
      indexingPolicy: item.indexing
      vectorEmbeddingPolicy: empty(item.vectors) ? null : { vectorEmbeddings: item.vectors }
    }
    options: serverless ? {} : { autoscaleSettings: { maxThroughput: maxThroughput } }
  }
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    // Not DataPlaneRequests: a line for every read and write would cost more than the reads and writes.
    logs: [{ category: 'ControlPlaneRequests', enabled: true }]
    metrics: [{ category: 'Requests', enabled: true }]
  }
}

output id string = account.id
output name string = account.name
output endpoint string = account.properties.documentEndpoint
