"""Reads the table of alerts and puts their queries together, as infra/app/alerts.bicep does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PAGE = 1
"""Alerts up to this severity wake somebody; the others are looked at in the day."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        name: Also the heading of its runbook in docs/alerts.md.
        severity: As Azure counts: 0 is the worst.
        query: KQL; the alert fires while it has rows.
        frequency: How often Azure evaluates it, ISO 8601.
        window: How far back the query may look, ISO 8601.
        split: Columns that tell one finding from another; each gets an alert of its own.
        found_within_minutes: How long an incident may last before the alert fires.
    """

    name: str
    title: str
    severity: int
    query: str
    frequency: str
    window: str
    split: tuple[str, ...]
    found_within_minutes: int

    @property
    def pages(self) -> bool:
        """Whether it wakes somebody."""
        return self.severity <= PAGE


def load(folder: Path = FOLDER) -> list[Alert]:
    """All alerts, in the order of the table."""
    table = json.loads((folder / "alerts.json").read_text(encoding="utf-8"))
    return [
        Alert(
            name=entry["name"],
            title=entry["title"],
            severity=entry["severity"],
            query=_query(folder, entry["query"], {"lag": table["lag"], **entry["parameters"]}),
            frequency=entry["frequency"],
            window=entry["window"],
            split=tuple(entry["split"]),
            found_within_minutes=entry["found_within_minutes"],
        )
        for entry in table["alerts"]
    ]


def _query(folder: Path, name: str, parameters: Mapping[str, str]) -> str:
    lines = [f"let {key} = {parameters[key]};" for key in sorted(parameters)]
    return "\n".join([*lines, (folder / f"{name}.kql").read_text(encoding="utf-8")])
