"""The advice as Markdown, for people."""

from collections.abc import Mapping
from typing import Any


def markdown(report: Mapping[str, Any]) -> str:
    """A table, best first, and what each line was measured on."""
    wait = report["wait_ms"]
    lines = [
        "# What would be saved",
        "",
        f"{report['turns']} answered turns; their wait: median {wait['p50']:.0f} ms, p95 {wait['p95']:.0f} ms.",
        "",
    ]
    if not report["advice"]:
        return "\n".join([*lines, report.get("note", "Nothing stands out."), ""])
    lines += ["| | cause | change | p50 | p95 | turns | sure |", "|---|---|---|---|---|---|---|"]
    for line in report["advice"]:
        gain = line["gain_ms"]
        cause = f"{line['cause']} {line['subject']}".strip()
        lines.append(
            f"| {line['rank']} | {cause} | {line['change']} | {_gain(gain['p50'])} | {_gain(gain['p95'])} | "
            f"{line['affected']} | {line['sure']} ({line['basis']}) |"
        )
    lines += ["", "Gains in ms with their 95 % interval. Each line stands for itself; gains do not add up.", ""]
    for line in report["advice"]:
        numbers = ", ".join(f"{name} {value}" for name, value in line["numbers"].items())
        lines.append(f"* {line['cause']} {line['subject']}: {numbers}")
    return "\n".join([*lines, ""])


def _gain(gain: Mapping[str, Any]) -> str:
    low, high = gain["interval"]
    return f"{gain['predicted']:.0f} ({low:.0f} to {high:.0f})"
