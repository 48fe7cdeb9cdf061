"""What a deployment would create, and what of it only Azure can say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.infra.bicep.syntax import BicepError


@dataclass(slots=True)
class Resource:
    """One resource as the template declares it.

    Attributes:
        id: Its full id; names stand where Azure would put them.
        name: Its own name, without those of its parents.
        full_name: Names of parents and its own, joined by slashes.
        body: Everything the template says of it, evaluated.
        existing: Only referred to, not created.
        module: File that declares it, relative to the folder of the main file.
        batch_size: From the decorator; 0 when Azure may write all at once.
    """

    kind: str
    api_version: str
    id: str
    name: str
    full_name: str
    body: dict[str, Any]
    module: str
    line: int
    existing: bool = False
    batch_size: int = 0
    parent: "Resource | None" = None
    scope: "Resource | None" = None
    depends_on: list[Any] = field(default_factory=list)

    @property
    def properties(self) -> dict[str, Any]:
        """Its properties as declared."""
        found: dict[str, Any] = self.body.get("properties", {})
        return found

    def member(self, name: str) -> Any:
        """What an expression sees of it.

        Raises:
            BicepError: Neither the template nor the platform says anything under this name.
        """
        if name in {"id", "name"}:
            return self.id if name == "id" else self.name
        if name == "properties":
            return RuntimeProperties(self)
        raise BicepError(f"{self.module}: {self.kind} has no {name} that an expression can use")


@dataclass(frozen=True, slots=True)
class RuntimeProperties:
    """Properties that Azure fills in after it has created a resource."""

    resource: Resource

    def member(self, name: str) -> Any:
        """The property as it would look like, from the platform's naming rules."""
        known = RUNTIME.get((self.resource.kind, name))
        if known is None:
            raise BicepError(f"{self.resource.module}: nothing is known of {self.resource.kind} properties.{name}")
        return known(self.resource.name)


@dataclass(slots=True)
class ModuleResult:
    """What a module created and gave back."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def member(self, name: str) -> Any:
        """The outputs, the only thing that can be seen of a module."""
        if name != "outputs":
            raise BicepError(f"a module has outputs and no {name}")
        return self.outputs


RUNTIME: dict[tuple[str, str], Callable[[str], Any]] = {
    ("Microsoft.ManagedIdentity/userAssignedIdentities", "principalId"): lambda name: f"principal-of-{name}",
    ("Microsoft.ManagedIdentity/userAssignedIdentities", "clientId"): lambda name: f"client-of-{name}",
    ("Microsoft.Storage/storageAccounts", "primaryEndpoints"): lambda name: {
        "blob": f"https://{name}.blob.core.windows.net/"
    },
    ("Microsoft.DocumentDB/databaseAccounts", "documentEndpoint"): lambda name: (
        f"https://{name}.documents.azure.com:443/"
    ),
    ("Microsoft.Insights/components", "ConnectionString"): lambda name: f"InstrumentationKey=of-{name}",
    ("Microsoft.Insights/components", "AppId"): lambda name: f"app-id-of-{name}",
    ("Microsoft.Web/sites", "defaultHostName"): lambda name: f"{name}.azurewebsites.net",
    ("Microsoft.ApiManagement/service", "gatewayUrl"): lambda name: f"https://{name}.azure-api.net",
}
