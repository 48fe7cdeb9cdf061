"""A turn as the advisor sees it: its stages and what else its record says of time. No text, no ids of people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.timelines.stages import CACHE, STAGES


@dataclass(frozen=True, slots=True)
class Journey:
    """One answered turn. All times are milliseconds.

    Attributes:
        stages: Length by name.
        steps: Of the context: name, start_ms, duration_ms, part_of, needs.
        sources: Ids of the sources that the answer cites: answers with the same ones answer similar questions.
        stable_tokens: Tokens at the beginning of the prompt that are the same for every turn.
        failed: Calls of it that gave no answer, by outcome.
        complete: The timeline has the last write and the relay in it.
    """

    total_ms: float
    stages: Mapping[str, float]
    path: str = "direct"
    model: str = ""
    deployment: str = ""
    region: str = ""
    steps: tuple[Mapping[str, Any], ...] = ()
    sources: tuple[str, ...] = ()
    prompt_tokens: int = 0
    stable_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    pieces: int = 0
    cold: bool = False
    failed: Mapping[str, int] = field(default_factory=dict)
    complete: bool = False

    def of(self, *names: str) -> float:
        """Time of these stages together."""
        return sum(self.stages.get(name, 0.0) for name in names)


def journeys(records: Iterable[Mapping[str, Any]]) -> list[Journey]:
    """The records (as the turn store or the timeline route gives them) whose timeline can be read."""
    found = (journey(record) for record in records)
    return [one for one in found if one is not None]


def journey(record: Mapping[str, Any]) -> Journey | None:
    """One record; None when it has no timeline, or one of another form, or when its answer came from the cache."""
    timeline = record.get("timeline")
    try:
        stages = {str(stage["name"]): float(stage["duration_ms"]) for stage in (timeline or {})["stages"]}
        if not stages or not stages.keys() <= set(STAGES) or min(stages.values()) < 0:
            return None
        if CACHE in stages:
            # No change to models or context would have made it quicker.
            return None
        return _read(record, dict(timeline or {}), stages)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _read(record: Mapping[str, Any], timeline: Mapping[str, Any], stages: Mapping[str, float]) -> Journey:
    usage, prompt, tokens = (
        found or {} for found in (record.get("usage"), timeline.get("prompt"), timeline.get("tokens"))
    )
    failed: dict[str, int] = {}
    for attempt in record.get("attempts") or ():
        if attempt["outcome"] != "success":
            failed[attempt["outcome"]] = failed.get(attempt["outcome"], 0) + 1
    return Journey(
        total_ms=sum(stages.values()),
        stages=stages,
        path=str(record.get("path", "direct")),
        model=str(record.get("model") or ""),
        deployment=str(timeline.get("deployment") or record.get("deployment") or ""),
        region=str(timeline.get("region") or ""),
        steps=tuple(timeline.get("steps") or ()),
        sources=tuple(sorted(str(source["id"]) for source in record.get("citations") or ())),
        prompt_tokens=int(usage.get("input_tokens") or prompt.get("tokens") or 0),
        stable_tokens=int(prompt.get("stable_tokens") or 0),
        cached_tokens=int(usage.get("cached_tokens") or 0),
        output_tokens=int(usage.get("output_tokens") or 0),
        pieces=int(tokens.get("pieces") or 0),
        cold=bool(timeline.get("cold_start")),
        failed=failed,
        complete=bool(timeline.get("complete")),
    )
