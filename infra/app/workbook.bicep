// The workbook, over the telemetry of this environment. Local runs show the same file in the console.
param location string
param tags object
param appInsightsName string

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(appInsights.id, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Spillway'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: appInsights.id
    serializedData: string(union(loadJsonContent('../workbooks/spillway.workbook'), { fallbackResourceIds: [appInsights.id] }))
  }
}

output id string = workbook.id
