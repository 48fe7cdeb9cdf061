"""Attributes and measurements in the form that OpenTelemetry and Azure Monitor take."""

import json
from collections.abc import Mapping
from typing import Any

from shared.telemetry import names
from shared.telemetry.facts import Subject
from shared.timelines.stages import BEFORE_THE_APP, FIRST_TOKEN

Attributes = dict[str, str | int | float | bool]


def of_subject(subject: Subject) -> Attributes:
    """A turn's names, for spans and events; the turn id would be too many values for a metric."""
    return {
        names.TURN_ID: subject.turn_id,
        names.TENANT: subject.tenant,
        names.LANE: subject.lane,
        names.PATH: subject.path,
        names.GEN_AI_CONVERSATION_ID: subject.session_id,
    }


def milliseconds(seconds: float | None) -> float | None:
    """Rounded to the microsecond."""
    return None if seconds is None else round(seconds * 1000, 3)


def measurements(values: Mapping[str, float | None]) -> Attributes:
    """The attribute that becomes `customMeasurements`: a JSON object of numbers."""
    numbers = {name: value for name, value in values.items() if value is not None}
    return {names.CUSTOM_MEASUREMENTS: json.dumps(numbers, separators=(",", ":"))} if numbers else {}


def first_token_seconds(timeline: Mapping[str, Any] | None) -> float | None:
    """From the app's first line to the first token, of a timeline in its JSON form; other people's clocks left out."""
    total = 0.0
    for stage in () if timeline is None else timeline["stages"]:
        total += 0.0 if stage["name"] in BEFORE_THE_APP else stage["duration_ms"]
        if stage["name"] == FIRST_TOKEN:
            return total / 1000
    return None


def stage_lengths(timeline: Mapping[str, Any]) -> dict[str, float]:
    """Measurements of the stages of a timeline in its JSON form: `context_ms` and so on."""
    return {f"{stage['name']}{names.STAGE_SUFFIX}": stage["duration_ms"] for stage in timeline["stages"]}
