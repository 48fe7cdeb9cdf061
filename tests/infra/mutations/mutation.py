"""A mistake, and the files in which mistakes are made."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.infra.rules.project import ROOT


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake: a text of a file replaced by another.

    Attributes:
        name: The mistake in words.
        file: Path in the repository.
        old: Text that is there now, exactly once unless `every` is set.
        rule: Name of the rule that has to find it.
    """

    name: str
    file: str
    old: str
    new: str
    rule: str
    every: bool = False

    def apply(self, folder: Path) -> None:
        """Makes the mistake in a copy.

        Raises:
            ValueError: The text is not there, so the mutation itself is out of date.
        """
        path = folder / self.file
        text = path.read_text()
        if text.count(self.old) != 1 and not (self.every and self.old in text):
            raise ValueError(f"{self.file} has {text.count(self.old)} times {self.old!r}")
        path.write_text(text.replace(self.old, self.new))


def copied(folder: Path) -> Path:
    """A copy of everything that describes the deployment."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=ignored)
    for name in ("azure.yaml", ".funcignore"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def rows(table: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((ROOT / "infra" / "models" / f"{table}.json").read_text())
    return found


MAIN, APP, RBAC = "infra/main.bicep", "infra/app/app.bicep", "infra/app/rbac.bicep"
BUS, COSMOS, MODELS = "infra/app/service-bus.bicep", "infra/app/cosmos.bicep", "infra/app/models.bicep"
NETWORK, STORAGE = "infra/app/network.bicep", "infra/app/storage.bicep"
PARAMETERS = "infra/main.parameters.json"
ALERTS, TABLE, WORKBOOK = "infra/app/alerts.bicep", "infra/alerts/alerts.json", "infra/app/workbook.bicep"
