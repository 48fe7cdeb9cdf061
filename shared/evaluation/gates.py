"""The gate file: which metrics must reach what before a launch."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from shared.evaluation.errors import GateFileError
from shared.evaluation.metrics import Kind, Metric
from shared.evaluation.trust import TrustBar


class Strictness(StrEnum):
    """What a failed gate means."""

    HARD = "hard"
    """NO-GO."""
    SOFT = "soft"
    """HOLD."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One demand. Exactly one of `at_least` and `at_most` is set."""

    name: str
    evaluator: str
    statistic: Kind
    strictness: Strictness
    at_least: float | None = None
    at_most: float | None = None
    minimum_scored: int = 100
    max_judge_error_rate: float = 0.02
    tags: tuple[str, ...] = ()
    """Tags for which the demand is checked again."""
    tag_minimum_scored: int = 20
    tag_slack: float = 0.0
    """How much a tag may stay behind the overall demand."""
    regression: bool = False
    """Whether a significant fall against the baseline counts: HOLD."""
    regression_forbids: bool = False
    """Whether such a fall is NO-GO: it is shown that the candidate is worse than what users have now."""
    about: str = ""
    """What the metric means, for readers without a background in evaluation."""

    def metric(self, tag: str = "") -> Metric:
        """The metric behind the gate, overall or for a tag."""
        minimum = self.tag_minimum_scored if tag else self.minimum_scored
        return Metric(self.name, self.evaluator, self.statistic, minimum, self.about)

    def demand(self, tag: str = "") -> float:
        """The threshold, overall or for a tag."""
        slack = self.tag_slack if tag else 0.0
        if self.at_least is not None:
            return self.at_least - slack
        return (self.at_most or 0.0) + slack


@dataclass(frozen=True, slots=True)
class GateSet:
    """All gates of one file."""

    gates: tuple[Gate, ...]
    confidence: float = 0.95
    judge: TrustBar | None = None
    """What a judge must reach before its scores count for GO; None does not ask."""
    regression_level: float = 0.05
    """The family-wise error of all regression tests together."""


def load_gates(path: Path) -> GateSet:
    """Read a gate file.

    Raises:
        GateFileError: it is missing, malformed, or has an unknown setting.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GateFileError(f"{path} cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GateFileError(f"{path.name}: {error}") from error
    if content.get("version") != 1:
        raise GateFileError(f"{path.name}: expected version = 1")
    if unknown := content.keys() - {"version", "confidence", "regression_level", "defaults", "judge", "gate"}:
        raise GateFileError(f"{path.name}: unknown settings: {', '.join(sorted(unknown))}")
    defaults = content.get("defaults", {})
    gates = tuple(_gate(path.name, {**defaults, **entry}) for entry in content.get("gate", []))
    if not gates:
        raise GateFileError(f"{path.name}: holds no [[gate]]")
    if len({gate.name for gate in gates}) != len(gates):
        raise GateFileError(f"{path.name}: two gates have the same name")
    return GateSet(
        gates,
        float(content.get("confidence", 0.95)),
        judge=_judge(path.name, content["judge"]) if "judge" in content else None,
        regression_level=float(content.get("regression_level", 0.05)),
    )


def _judge(file_name: str, entry: Mapping[str, Any]) -> TrustBar:
    if unknown := entry.keys() - {field.name for field in fields(TrustBar)}:
        raise GateFileError(f"{file_name}: judge: unknown settings: {', '.join(sorted(unknown))}")
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in entry.values()):
        raise GateFileError(f"{file_name}: judge: every setting must be a number")
    return TrustBar(**entry)


def _gate(file_name: str, entry: Mapping[str, Any]) -> Gate:
    name = str(entry.get("name", "without a name"))
    known = {field.name for field in fields(Gate)}
    if unknown := entry.keys() - known:
        raise GateFileError(f"{file_name}: gate {name}: unknown settings: {', '.join(sorted(unknown))}")
    if missing := {"name", "evaluator", "statistic", "strictness"} - entry.keys():
        raise GateFileError(f"{file_name}: gate {name}: missing: {', '.join(sorted(missing))}")
    if ("at_least" in entry) == ("at_most" in entry):
        raise GateFileError(f"{file_name}: gate {name}: set exactly one of at_least and at_most")
    try:
        kind, strictness = Kind(entry["statistic"]), Strictness(entry["strictness"])
    except ValueError as error:
        raise GateFileError(f"{file_name}: gate {name}: {error}") from error
    if strictness is Strictness.HARD and kind is not Kind.DEFECT_RATE:
        raise GateFileError(f"{file_name}: gate {name}: a hard gate bounds a defect_rate with at_most")
    if entry.get("regression_forbids") and not entry.get("regression"):
        raise GateFileError(f"{file_name}: gate {name}: regression_forbids needs regression = true")
    for setting in ("at_least", "at_most", "max_judge_error_rate", "tag_slack"):
        if setting in entry and (isinstance(entry[setting], bool) or not isinstance(entry[setting], int | float)):
            raise GateFileError(f"{file_name}: gate {name}: {setting} must be a number")
    return Gate(**{**entry, "statistic": kind, "strictness": strictness, "tags": tuple(entry.get("tags", ()))})
