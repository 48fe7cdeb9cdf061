"""Holds the scores of a new prompt or model version against those of the version before it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from shared.evaluating.events import RANGES
from shared.evaluating.ports import Document
from shared.evaluation.drift import StreamKey
from shared.evaluation.stats.sequential import LEAST_COUNT, Sums, changed
from shared.telemetry import log

MOST_COMPARED = 2_000
"""A version that was not worse over so many scores is the accepted one."""
LEAST_SHARE = 0.1
"""The least standard deviation, as a share of the scale or, without one, of the mean before."""
LOWER_IS_BETTER = frozenset({"latency", "tokens", "cost", "safety"})


def version_before(key: StreamKey, streams: Sequence[Document]) -> dict[str, Any]:
    """What a new stream keeps of the stream it follows: that of the version before, or of the model before.

    Args:
        key: The new stream.
        streams: All streams there are.
    """
    known = [s for s in streams if s["evaluator"] == key.evaluator and _sums(s.get("totals")).count >= LEAST_COUNT]
    prompts = [stream for stream in known if stream["deployment"] == key.deployment]
    models = [stream for stream in known if stream["prompt_version"] == key.prompt_version]
    candidates = prompts or models
    if not candidates:
        return {"before": None, "before_sums": None}
    found = max(candidates, key=lambda stream: stream["place_at"])
    sums = _sums(found["totals"])
    before = {"deployment": found["deployment"], "prompt_version": found["prompt_version"], "mean": sums.mean}
    return {"before": before, "before_sums": dataclasses.asdict(sums)}


def take(stream: Document, value: float, weight: float) -> None:
    """Adds one score to a stream's sums."""
    stream["totals"] = dataclasses.asdict(_sums(stream.get("totals")).plus(value, weight))


def compare(stream: Document, at: float) -> None:
    """Notes in a stream, once, that its version differs from the one before, and says so in the log."""
    before, since = _sums(stream.get("before_sums")), _sums(stream.get("totals"))
    if before.count == 0 or stream.get("version_change") or since.count > MOST_COMPARED:
        return
    evaluator = stream["evaluator"]
    low, high, _ = RANGES.get(evaluator, (0.0, abs(before.mean), ""))
    direction = changed(before, since, least_deviation=LEAST_SHARE * (high - low))
    if not direction:
        return
    worse = direction == ("rose" if evaluator in LOWER_IS_BETTER else "fell")
    stream["version_change"] = {"at": at, "direction": direction, "worse": worse, "scores": since.count}
    tell = log.warning if worse else log.info
    tell(
        "worse_version" if worse else "better_version",
        evaluator=evaluator,
        deployment=stream["deployment"],
        prompt_version=stream["prompt_version"],
        before=stream["before"]["prompt_version"],
        deployment_before=stream["before"]["deployment"],
        change=round(since.mean - before.mean, 4),
        scores=since.count,
    )


def _sums(kept: dict[str, Any] | None) -> Sums:
    return Sums() if kept is None else Sums(**{**kept, "count": int(kept["count"])})
