// One region's Azure OpenAI account with its deployments and content filter.
param name string
param location string
param tags object
param deployments array
param contentFilterMode string
param publicAccess bool
param workspaceId string

var harms = ['hate', 'sexual', 'selfharm', 'violence']
var promptFilters = [for harm in harms: {
  name: harm
  source: 'Prompt'
  severityThreshold: 'Medium'
  enabled: true
  blocking: true
}]
var completionFilters = [for harm in harms: {
  name: harm
  source: 'Completion'
  severityThreshold: 'Medium'
  enabled: true
  blocking: true
}]
var attackFilters = [
  { name: 'jailbreak', source: 'Prompt', enabled: true, blocking: true }
  { name: 'indirect_attack', source: 'Prompt', enabled: true, blocking: true }
  { name: 'protected_material_text', source: 'Completion', enabled: true, blocking: true }
]

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: { name: 'S0' }
  properties: {
    // Tokens of identities are accepted at the account's own subdomain only.
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: publicAccess ? 'Allow' : 'Deny' }
  }
}

resource contentFilter 'Microsoft.CognitiveServices/accounts/raiPolicies@2025-06-01' = {
  parent: account
  name: 'spillway'
  properties: {
    basePolicyName: 'Microsoft.DefaultV2'
    mode: contentFilterMode
    contentFilters: concat(promptFilters, completionFilters, attackFilters)
  }
}

// A deployment that spills over names another, so those that others spill over to come first.
var spilledTo = filter(deployments, row => empty(row.spillover))
var spilling = filter(deployments, row => !empty(row.spillover))

// One at a time: an account refuses two deployment writes at once.
@batchSize(1)
resource deployment 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = [for row in concat(spilledTo, spilling): {
  parent: account
  name: row.deployment
  sku: { name: row.sku, capacity: row.capacity }
  properties: {
    model: { format: 'OpenAI', name: row.model, version: row.version }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
    raiPolicyName: contentFilter.name
    spilloverDeploymentName: empty(row.spillover) ? null : row.spillover
  }
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'Audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = account.id
output name string = account.name
