"""docs/telemetry.md names what the code names, and nothing else."""

import re
from typing import Any

import pytest

from shared.telemetry import names
from tests.processes import ROOT

REFERENCE = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
INSTRUMENTS = (*names.COUNTERS, *names.HISTOGRAMS, *names.GAUGES, *names.OBSERVED_GAUGES)
NOT_NAMES = {"SCOPE", "PROVIDER_NAME", "OPERATION_CHAT", "STAGE_SUFFIX"}
LOG_CALL = re.compile(r'log\.(?:info|warning|failure)\(\s*"([a-z_]+)"')


def section(title: str) -> str:
    """The text under a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", REFERENCE, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def first_cells(title: str) -> set[str]:
    """Names in the first column of the section's table."""
    rows = re.findall(r"^\| (`[^|]+`) \|", section(title), flags=re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def constants() -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, str) and name not in NOT_NAMES
    }


def is_attribute(constant: str, value: str) -> bool:
    return "." in value and not constant.startswith(("SPAN_", "EVENT_"))


def test_every_attribute_is_in_the_reference_and_nothing_else() -> None:
    assert first_cells("Attributes") == {value for name, value in constants().items() if is_attribute(name, value)}


def test_every_measurement_is_in_the_reference_and_nothing_else() -> None:
    coded = {value for value in constants().values() if "." not in value} | set(names.STEP_TIMES)

    assert first_cells("Measurements") == coded


def test_every_span_and_event_is_in_the_reference_and_nothing_else() -> None:
    assert first_cells("Spans") == {names.SPAN_RUN, f"{names.OPERATION_CHAT} {{model}}"}
    assert first_cells("Events") == {value for name, value in constants().items() if name.startswith("EVENT_")}


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.name)
def test_every_metric_is_in_the_reference_with_its_unit_and_kind(instrument: names.Instrument) -> None:
    kinds = {"counter": names.COUNTERS, "histogram": names.HISTOGRAMS, "gauge": (*names.GAUGES, *names.OBSERVED_GAUGES)}
    (kind,) = [kind for kind, members in kinds.items() if instrument in members]

    assert f"| `{instrument.name}` | {instrument.unit} | {kind} |" in section("Metrics")


def test_the_reference_names_no_metric_that_is_not_there() -> None:
    assert first_cells("Metrics") == {one.name for one in INSTRUMENTS}
    assert {one for one in vars(names).values() if isinstance(one, names.Instrument)} == set(INSTRUMENTS)


def test_every_log_action_is_in_the_reference_and_nothing_else() -> None:
    sources = [path for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py")]
    actions = {action for path in sources for action in LOG_CALL.findall(path.read_text(encoding="utf-8"))}

    assert first_cells("Log lines") == actions
