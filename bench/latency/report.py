"""A run's results as JSON and Markdown."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.latency.call import Sample
from bench.latency.plan import Plan
from bench.latency.summary import METRICS

VERSION = 1


def document(plan: Plan, samples: Sequence[Sample], cells: Sequence[Any], **more: Any) -> dict[str, Any]:
    """Everything of a run: what was measured on what, the summaries, and each call, so that it can be compared."""
    told = dataclasses.asdict(plan)
    told["targets"] = [{"name": one.name, "deployment": one.deployment} for one in plan.targets]
    return {
        "version": VERSION,
        **more,
        "plan": told,
        "cells": cells,
        "samples": [dataclasses.asdict(s) for s in samples],
    }


def read_samples(path: Path) -> list[Sample]:
    """The samples of a result file.

    Raises:
        ValueError: It is no result file of this version.
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.get("version") != VERSION or "samples" not in found:
        raise ValueError(f"{path} is no result of `bench.latency run` (version {VERSION})")
    return [Sample(**entry) for entry in found["samples"]]


def markdown(title: str, cells: Sequence[dict[str, Any]], comparison: Sequence[dict[str, Any]], notes: str) -> str:
    """The report for people."""
    lines = [f"# {title}", "", notes, ""]
    for metric in ("first_ms", "between_ms", "last_ms"):
        lines += [f"## Time {METRICS[metric] if metric == 'between_ms' else 'to ' + METRICS[metric]}, ms", ""]
        lines += [*_table(cells, metric), ""]
    lines += ["## Answers and refusals", "", *_outcomes(cells), "", "## Best and worst call", "", *_extremes(cells)]
    if comparison:
        lines += ["", "## Differences between deployments", "", *(f"* {row['words']}" for row in comparison)]
    return "\n".join(lines) + "\n"


def _table(cells: Sequence[dict[str, Any]], metric: str) -> list[str]:
    lines = [
        "| deployment | prompt → output | n | median | IQR | p95 | p99 | CV |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cell in cells:
        found = cell["metrics"].get(metric)
        numbers = "| 0 | | | | | |"
        if found is not None:
            figures = " | ".join(f"{found[name]:.4g}" for name in ("median", "iqr", "p95", "p99"))
            numbers = f"| {found['n']} | {figures} | {found['cv']:.0%} |"
        lines.append(f"| {cell['target']} | {cell['prompt_tokens']} → {cell['output_tokens']} {numbers}")
    return lines


def _outcomes(cells: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "| deployment | prompt → output | calls | throttled | failed | region | quota used at most | load | notes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cell in cells:
        headroom = cell["headroom"]
        used = headroom.get("highest_used_tokens_share")
        load = headroom.get("utilization_percent")
        columns = (
            cell["target"],
            f"{cell['prompt_tokens']} → {cell['output_tokens']}",
            str(cell["calls"]),
            _share(cell["throttled"]),
            _share(cell["failed"]),
            ", ".join(cell["regions"]) or "not told",
            "not told" if used is None else f"{used:.0%} of tokens",
            "not told" if load is None else f"{load['mean']:.0f} %, at most {load['most']:.0f} %",
            _remarks(cell),
        )
        lines.append("| " + " | ".join(columns) + " |")
    return lines


def _share(rate: dict[str, Any]) -> str:
    low, high = rate["interval"]
    return f"{rate['share']:.1%} ({low:.1%} to {high:.1%})"


def _remarks(cell: dict[str, Any]) -> str:
    remarks = [f"{count} × {error}" for error, count in sorted(cell["errors"].items())]
    if cell["short_answers"]:
        remarks.append(f"{cell['short_answers']} answers shorter than asked for")
    if cell["cached_tokens"]:
        remarks.append(f"{cell['cached_tokens']:.0f} prompt tokens came from the cache")
    if cell["spilled"]:
        remarks.append(f"{cell['spilled']} answered by the spillover deployment")
    return "; ".join(remarks)


def _extremes(cells: Sequence[dict[str, Any]]) -> list[str]:
    lines = ["| deployment | prompt → output | best, request id | worst, request id |", "|---|---|---|---|"]
    for cell in cells:
        if "best" in cell:
            size = f"{cell['prompt_tokens']} → {cell['output_tokens']}"
            lines.append(f"| {cell['target']} | {size} | {_call(cell['best'])} | {_call(cell['worst'])} |")
    return lines


def _call(call: dict[str, Any]) -> str:
    return f"{call['last_ms']:.4g} ms (first token {call['first_ms']:.4g}), `{call.get('request_id', 'none')}`"
