"""Whether the model deployments of a table fit into the subscription's quota."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.hooks.console import HookError, say
from infra.hooks.tools import ToolMissing, run_json

TABLES = Path(__file__).parent.parent / "models"
DEFAULT_SKU = "GlobalStandard"


@dataclass(frozen=True, slots=True)
class Need:
    """Capacity that a table asks for: thousands of tokens a minute, or provisioned units."""

    region: str
    quota: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """A need that does not fit; `free` is None when the region does not offer the model in this way."""

    need: Need
    free: int | None

    def __str__(self) -> str:
        """The line that the person reads."""
        if self.free is None:
            return f"{self.need.region}: no quota called {self.need.quota}; is the model offered there in this way?"
        return f"{self.need.region}: {self.need.quota} needs {self.need.capacity}, free are {self.free}"


def needs(table: Iterable[Mapping[str, Any]], home: str) -> list[Need]:
    """What a table of deployments asks for, added up by region and quota.

    Args:
        table: Entries of a file in infra/models; those with an endpoint need nothing.
        home: Region of entries that name none.
    """
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in table:
        if "endpoint" not in row:
            region = str(row.get("region", home)).lower().replace(" ", "")
            sums[region, f"OpenAI.{row.get('sku', DEFAULT_SKU)}.{row['model']}"] += int(row["capacity"])
    return [Need(region, quota, capacity) for (region, quota), capacity in sums.items()]


def shortages(wanted: Iterable[Need], usages: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[Shortage]:
    """The needs that do not fit.

    Args:
        wanted: What is asked for.
        usages: For each region the answer of `az cognitiveservices usage list`.
    """
    for need in wanted:
        quotas = {_spelled(each["name"]["value"]): each for each in usages[need.region]}
        entry = quotas.get(_spelled(need.quota))
        if entry is None:
            yield Shortage(need, None)
        elif (free := int(entry["limit"] - entry["currentValue"])) < need.capacity:
            yield Shortage(need, free)


def _spelled(quota: str) -> str:
    """A quota's name without the hyphens that Azure writes in some models and leaves out in others."""
    return quota.lower().replace("-", "")


def check_quota(variables: Mapping[str, str]) -> None:
    """Says which deployments do not fit, before half of them exist.

    Raises:
        HookError: Some do not fit, and this is the first time; later, what already runs counts as used.
    """
    home, table = variables.get("AZURE_LOCATION", ""), variables.get("SPILLWAY_MODEL_TABLE") or "dev"
    wanted = needs(json.loads((TABLES / f"{table}.json").read_text()), home)
    try:
        usages = {
            region: run_json("az", "cognitiveservices", "usage", "list", "--location", region, "--output", "json")
            for region in sorted({need.region for need in wanted})
        }
    except ToolMissing as missing:
        say(f"The model quota was not checked: {missing}")
        return
    found = list(shortages(wanted, usages))
    unknown, short = [each for each in found if each.free is None], [each for each in found if each.free is not None]
    if unknown:
        say("These model quotas are not known by this name and were not checked:", *(f"  {each}" for each in unknown))
    if short and variables.get("SPILLWAY_URL"):
        say("These model deployments may not fit, unless they already exist:", *(f"  {each}" for each in short))
    elif short:
        lines = "\n".join(f"  {each}" for each in short)
        raise HookError(
            f"The model quota is too small (in thousands of tokens a minute, or provisioned units):\n{lines}\n"
            f"Lower the capacity or change the region in infra/models/{table}.json, or ask for quota in the portal."
        )
    else:
        say("The model quota suffices.")
