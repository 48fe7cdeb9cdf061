"""What the rules look at: the files of the repository and what each scenario of a deployment would create."""

import ast
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tests.infra.bicep.parameters import filled_in, read_profile
from tests.infra.bicep.resources import ModuleResult, Resource
from tests.infra.bicep.syntax import BicepError
from tests.infra.bicep.template import deploy

ROOT = Path(__file__).resolve().parents[3]
EVERYTHING = {
    "SPILLWAY_MODEL_TABLE": "provisioned",
    "SPILLWAY_PRIVATE_NETWORK": "true",
    "SPILLWAY_API_MANAGEMENT": "true",
    "SPILLWAY_AUTH": "entra",
    "SPILLWAY_ENTRA_CLIENT_ID": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "SPILLWAY_MONTHLY_BUDGET": "500",
    "SPILLWAY_ALERT_EMAIL": "operators@contoso.example",
    "SPILLWAY_ALWAYS_READY_HTTP": "2",
    "SPILLWAY_ALWAYS_READY_INTERACTIVE": "2",
    "SPILLWAY_ZONE_REDUNDANT": "true",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, in words for the person who has to mend it."""

    rule: str
    what: str


@dataclass(frozen=True)
class Project:
    """A deployment to check: infra/, azure.yaml and .funcignore of a folder; the code is always the repository's."""

    folder: Path = ROOT

    @property
    def infra(self) -> Path:
        """Where the templates are."""
        return self.folder / "infra"

    @cached_property
    def scenarios(self) -> dict[str, ModuleResult]:
        """What each way of deploying would create.

        Raises:
            BicepError: The templates cannot be evaluated.
        """
        variables = {
            "plain": {},
            "dev": read_profile(self.infra / "profiles" / "dev.env"),
            "prod": read_profile(self.infra / "profiles" / "prod.env"),
            "own": {"SPILLWAY_MODEL_TABLE": "own"},
            "everything": EVERYTHING,
        }
        return {name: self.deployed(**given) for name, given in variables.items()}

    def deployed(self, **variables: str) -> ModuleResult:
        """What a deployment with these variables of the azd environment would create."""
        return deploy(self.infra / "main.bicep", filled_in(self.infra, variables))

    def faults(self) -> list[str]:
        """Why the templates cannot be evaluated."""
        try:
            return [] if self.scenarios else ["no scenario"]
        except (BicepError, OSError, ValueError, KeyError, AttributeError) as error:
            return [f"{type(error).__name__}: {error}"]

    def resources(self, kind: str, *, existing: bool = False) -> Iterator[tuple[str, Resource]]:
        """The resources of a type in every scenario, with the scenario's name."""
        for scenario, result in self.scenarios.items():
            for resource in result.resources:
                if resource.kind == kind and resource.existing == existing:
                    yield scenario, resource

    def created(self) -> Iterator[tuple[str, Resource]]:
        """All resources of every scenario that the deployment creates."""
        for scenario, result in self.scenarios.items():
            yield from ((scenario, resource) for resource in result.resources if not resource.existing)

    def app_settings(self) -> dict[str, dict[str, Any]]:
        """The app settings of every scenario."""
        return {
            scenario: resource.properties
            for scenario, resource in self.resources("Microsoft.Web/sites/config")
            if resource.name == "appsettings"
        }


Rule = Callable[[Project], Iterable[str]]


def declared(file: str) -> Any:
    """A declaration that local runs are set up from."""
    return json.loads((ROOT / "local" / file).read_text())


@cache
def python_files(folder: str) -> tuple[ast.Module, ...]:
    """The app's own sources, parsed."""
    return tuple(ast.parse(path.read_text()) for path in sorted((ROOT / folder).rglob("*.py")))


@cache
def calls(folder: str) -> tuple[ast.Call, ...]:
    """Every call in the sources of a folder."""
    return tuple(node for module in python_files(folder) for node in ast.walk(module) if isinstance(node, ast.Call))


def arguments(call: ast.Call) -> dict[str, Any]:
    """The literal keyword arguments of a call."""
    return {word.arg: word.value.value for word in call.keywords if word.arg and isinstance(word.value, ast.Constant)}


def called(call: ast.Call) -> str:
    """The last part of the name that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
