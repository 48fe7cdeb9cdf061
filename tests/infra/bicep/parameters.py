"""The parameter file as azd fills it in from the variables of an environment."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.infra.bicep.template import declarations

REFERENCE = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")
ALWAYS = {
    "AZURE_ENV_NAME": "demo",
    "AZURE_LOCATION": "swedencentral",
    "SPILLWAY_OPERATOR_KEY_SHA256": "ab" * 32,
    "SPILLWAY_BUDGET_START": "2026-11-01",
}
"""What azd itself and the hook before provisioning always set."""


def read_profile(path: Path) -> dict[str, str]:
    """The variables of a profile."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled_in(infra: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """The values of all parameters, converted to their types as azd does."""
    document = json.loads((infra / "main.parameters.json").read_text())
    main = infra / "main.bicep"
    types = {entry.name: entry.about for entry in declarations(main.read_bytes(), main.name)}
    known = {**ALWAYS, **variables}
    texts = {
        name: REFERENCE.sub(lambda found: known.get(found[1], found[2] or ""), entry["value"])
        for name, entry in document["parameters"].items()
    }
    return {name: _converted(value, types.get(name, "string")) for name, value in texts.items()}


def _converted(value: str, kind: str) -> Any:
    if kind == "bool":
        return {"true": True, "false": False}[value]
    return int(value) if kind == "int" else value
