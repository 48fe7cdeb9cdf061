"""Private networking: when it is asked for, nothing that the app calls stays public."""

from collections.abc import Iterator

from tests.infra.rules.project import Project, Rule

ZONES = {
    "Microsoft.Storage/storageAccounts": ("blob", "privatelink.blob.core.windows.net"),
    "Microsoft.ServiceBus/namespaces": ("namespace", "privatelink.servicebus.windows.net"),
    "Microsoft.DocumentDB/databaseAccounts": ("Sql", "privatelink.documents.azure.com"),
    "Microsoft.CognitiveServices/accounts": ("account", "privatelink.openai.azure.com"),
}
"""Group and DNS zone of each service's endpoint. Source: Microsoft Learn, "Private endpoint DNS zone values"."""
ENDPOINT = "Microsoft.Network/privateEndpoints"


def what_the_app_calls_is_private(project: Project) -> Iterator[str]:
    for scenario, result in project.scenarios.items():
        private = any(entry.kind == ENDPOINT for entry in result.resources)
        for entry in result.resources:
            if entry.kind in ZONES and not entry.existing:
                wanted = "Disabled" if private else "Enabled"
                if entry.properties.get("publicNetworkAccess") != wanted:
                    yield f"{scenario}: public access to {entry.name} should be {wanted}"
        sites = [entry for entry in result.resources if entry.kind == "Microsoft.Web/sites"]
        for site in sites:
            if private != bool(site.properties.get("virtualNetworkSubnetId")):
                yield f"{scenario}: {site.name} is on the wrong side of the network"


def every_service_has_its_endpoint(project: Project) -> Iterator[str]:
    result = project.scenarios["everything"]
    endpoints = [entry for entry in result.resources if entry.kind == ENDPOINT]
    reached = {
        connection["properties"]["privateLinkServiceId"]: (connection["properties"]["groupIds"], entry.id)
        for entry in endpoints
        for connection in entry.properties["privateLinkServiceConnections"]
    }
    zones = {
        entry.parent.id: entry.properties["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"]
        for entry in result.resources
        if entry.kind == f"{ENDPOINT}/privateDnsZoneGroups" and entry.parent
    }
    for entry in result.resources:
        if entry.kind not in ZONES or entry.existing:
            continue
        group, zone = ZONES[entry.kind]
        groups, endpoint = reached.get(entry.id, ([], ""))
        if groups != [group]:
            yield f"{entry.name} has no private endpoint of the group {group}"
        elif zones.get(endpoint, "").rsplit("/", 1)[-1] != zone:
            yield f"{entry.name} is not found by the name {zone}"


def zones_are_linked(project: Project) -> Iterator[str]:
    result = project.scenarios["everything"]
    zones = {entry.name for entry in result.resources if entry.kind == "Microsoft.Network/privateDnsZones"}
    linked = {
        entry.parent.name
        for entry in result.resources
        if entry.kind == "Microsoft.Network/privateDnsZones/virtualNetworkLinks" and entry.parent
    }
    yield from (f"{zone} is not linked to the network" for zone in sorted(zones - linked))


def private_queues_are_premium(project: Project) -> Iterator[str]:
    for scenario, namespace in project.resources("Microsoft.ServiceBus/namespaces"):
        private = namespace.properties.get("publicNetworkAccess") == "Disabled"
        sku = namespace.body["sku"]
        if private and sku["name"] != "Premium":
            yield f"{scenario}: private endpoints need Service Bus Premium"
        if (sku["name"] == "Premium") != ("capacity" in sku):
            yield f"{scenario}: Service Bus has the sku {sku}"


def the_app_has_a_subnet_of_its_own(project: Project) -> Iterator[str]:
    for scenario, network in project.resources("Microsoft.Network/virtualNetworks"):
        subnets = {subnet["name"]: subnet["properties"] for subnet in network.properties["subnets"]}
        delegated = [entry["properties"]["serviceName"] for entry in subnets["app"].get("delegations", [])]
        if delegated != ["Microsoft.App/environments"]:
            yield f"{scenario}: the app's subnet is delegated to {delegated}"


RULES: tuple[Rule, ...] = (
    what_the_app_calls_is_private,
    every_service_has_its_endpoint,
    zones_are_linked,
    private_queues_are_premium,
    the_app_has_a_subnet_of_its_own,
)
