"""How response headers write a region."""

_DISPLAY = {
    "australiaeast": "Australia East",
    "canadaeast": "Canada East",
    "eastus": "East US",
    "eastus2": "East US 2",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "japaneast": "Japan East",
    "northcentralus": "North Central US",
    "norwayeast": "Norway East",
    "southcentralus": "South Central US",
    "southindia": "South India",
    "swedencentral": "Sweden Central",
    "switzerlandnorth": "Switzerland North",
    "uksouth": "UK South",
    "westeurope": "West Europe",
    "westus": "West US",
    "westus3": "West US 3",
}


def display(region: str) -> str:
    """`Sweden Central` for `swedencentral`; a region that is not known stays as it is."""
    return _DISPLAY.get(region, region)
