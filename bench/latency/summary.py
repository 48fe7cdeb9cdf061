"""What a run's samples say of each cell."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.latency.call import Sample
from bench.latency.plan import Cell
from bench.latency.stats import describe, quantile, share_interval

METRICS = {
    "headers_ms": "headers",
    "first_ms": "first token",
    "between_ms": "between tokens",
    "longest_ms": "longest pause",
    "last_ms": "last token",
}
SHORT_ANSWER = 0.9
"""An answer shorter than this share of what was asked for makes the time to the last token look better than it is."""


def summarise(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """One summary a cell, in order."""
    cells: dict[Cell, list[Sample]] = {}
    for sample in samples:
        cells.setdefault(sample.cell, []).append(sample)
    return [_cell(cell, cells[cell]) for cell in sorted(cells)]


def _cell(cell: Cell, samples: list[Sample]) -> dict[str, Any]:
    good = [sample for sample in samples if sample.ok]
    throttled = sum(sample.throttled for sample in samples)
    failed = len(samples) - len(good) - throttled
    outputs = _facts(good, "output_tokens")
    summary: dict[str, Any] = {
        "target": cell.target,
        "prompt_tokens": cell.prompt_tokens,
        "output_tokens": cell.output_tokens,
        "calls": len(samples),
        "answered": len(good),
        "throttled": _rate(throttled, len(samples)),
        "failed": _rate(failed, len(samples)),
        "errors": dict(Counter(sample.error for sample in samples if sample.error)),
        "regions": sorted({sample.facts["region"] for sample in samples if "region" in sample.facts}),
        "metrics": {},
        "counted_prompt_tokens": _middle(_facts(good, "prompt_tokens")),
        "counted_output_tokens": _middle(outputs),
        "cached_tokens": _middle(_facts(good, "cached_tokens")),
        "short_answers": sum(tokens < SHORT_ANSWER * cell.output_tokens for tokens in outputs),
        "spilled": sum("spilled_from" in sample.facts for sample in samples),
        "headroom": _headroom(samples),
    }
    for metric in METRICS:
        values = [value for sample in good if (value := getattr(sample, metric)) is not None]
        if values:
            summary["metrics"][metric] = describe(values)
    if good:
        summary["tokens_per_second"] = _middle([_speed(sample) for sample in good])
        summary["best"], summary["worst"] = (
            _told(min(good, key=_last)),
            _told(max(good, key=_last)),
        )
    return summary


def throughput(samples: Sequence[Sample]) -> dict[str, float]:
    """Requests and tokens a minute of the whole run: with one call at a time that is latency in other words."""
    good = [sample for sample in samples if sample.ok]
    if not good:
        return {"requests_per_minute": 0.0, "prompt_tokens_per_minute": 0.0, "output_tokens_per_minute": 0.0}
    begin = min(sample.at for sample in samples)
    minutes = max(1e-9, max(sample.at + _last(sample) / 1000 for sample in good) - begin) / 60
    return {
        "requests_per_minute": len(good) / minutes,
        "prompt_tokens_per_minute": sum(_facts(good, "prompt_tokens")) / minutes,
        "output_tokens_per_minute": sum(_facts(good, "output_tokens")) / minutes,
    }


def _last(sample: Sample) -> float:
    return sample.last_ms or 0.0


def _speed(sample: Sample) -> float:
    return float(sample.facts.get("output_tokens", 0)) / max(1e-9, (sample.last_ms or 0.0) / 1000)


def _rate(hits: int, n: int) -> dict[str, Any]:
    low, high = share_interval(hits, n)
    return {"count": hits, "share": hits / n, "interval": [low, high]}


def _facts(samples: Sequence[Sample], name: str) -> list[float]:
    return [float(sample.facts[name]) for sample in samples if name in sample.facts]


def _middle(values: Sequence[float]) -> float | None:
    return quantile(values, 0.5) if values else None


def _headroom(samples: Sequence[Sample]) -> dict[str, Any]:
    """What the headers say of quota and load: the least that was left, and the load of a provisioned deployment."""
    found: dict[str, Any] = {}
    for name in ("tokens", "requests"):
        left, limits = _facts(samples, f"remaining_{name}"), _facts(samples, f"limit_{name}")
        if left and limits:
            found[f"least_remaining_{name}"] = min(left)
            found[f"highest_used_{name}_share"] = 1 - min(left) / max(limits)
    loads = _facts(samples, "utilization_percent")
    if loads:
        found["utilization_percent"] = {
            "mean": sum(loads) / len(loads),
            "p95": quantile(loads, 0.95),
            "most": max(loads),
        }
    return found


def _told(sample: Sample) -> dict[str, Any]:
    wanted = ("request_id", "region", "prompt_tokens", "output_tokens", "utilization_percent")
    return {
        "round": sample.round,
        "at": sample.at,
        "first_ms": sample.first_ms,
        "last_ms": sample.last_ms,
        **{name: sample.facts[name] for name in wanted if name in sample.facts},
    }
