"""A result as a person reads it: a table of arms, a table of bars."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.lab.bars import look_up
from bench.machine import RESULTS

ROWS = (
    ("asked", "asked", "{:,.0f}"),
    ("accepted", "accepted", "{:,.0f}"),
    ("lost", "accepted and lost", "{:,.0f}"),
    ("expired", "expired", "{:,.0f}"),
    ("duplicated", "answered twice", "{:,.0f}"),
    ("success_share", "answered, share of asked", "{:.1%}"),
    ("refused.refusals", "refusals", "{:,.0f}"),
    ("refused.honest_share", "taken when they came back", "{:.1%}"),
    ("utilisation_under_backlog", "quota used while there is backlog", "{:.1%}"),
    ("max_window_overshoot", "worst minute over quota by", "{:.1%}"),
    ("calls", "calls", "{:,.0f}"),
    ("wasted_calls", "calls for nothing", "{:,.0f}"),
    ("calls_per_success", "calls per answer", "{:.2f}"),
    ("share_429", "calls answered 429", "{:.1%}"),
    ("inversions_share", "neighbours out of order", "{:.1%}"),
    ("lanes.interactive.wait_s.p50", "interactive wait p50, s", "{:.1f}"),
    ("lanes.interactive.wait_s.p95", "interactive wait p95, s", "{:.1f}"),
    ("lanes.standard.wait_s.p95", "standard wait p95, s", "{:.1f}"),
    ("lanes.batch.wait_s.p95", "batch wait p95, s", "{:.1f}"),
    ("lanes.interactive.caller_ttft_s.p95", "interactive first token p95, s", "{:.1f}"),
    ("streams.turns_cut", "turns cut in mid-answer", "{:,.0f}"),
    ("streams.duplicate_visible_tokens", "duplicate visible tokens", "{:,.0f}"),
    ("drained_after_s", "all answered after, s", "{:.0f}"),
)


def text(result: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    described = result["machine"]
    lines = [
        f"# {result['scenario']}: {result['title']}",
        "",
        f"{result['turns']:,} turns from the texts of {result['texts']}, seed {result['seed']}, quota "
        f"{sum(result['quota_tokens_per_minute'].values()):,} tokens a minute in "
        f"{len(result['quota_tokens_per_minute'])} deployments. {described['cores']} cores of {described['processor']}, "
        f"{described['memory_gib']} GiB, Python {described['python']}, load average {described['load_average_at_start']} "
        f"at the start, commit {described['commit']}, {described['at']}.",
        "",
        *_arms(result["arms"]),
        "",
        *_bars(result.get("bars", [])),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _arms(arms: dict[str, Any]) -> list[str]:
    table = [["", *arms]]
    for path, name, form in ROWS:
        values = [look_up(figures, path) for figures in arms.values()]
        if any(value is not None for value in values):
            table.append([name, *("" if value is None else form.format(value) for value in values)])
    return markdown(table)


def _bars(bars: Sequence[dict[str, Any]]) -> list[str]:
    if not bars:
        return []
    table = [["bar of the spillway arm", "wanted", "measured", "passed"]]
    for bar in bars:
        wanted = [f"{'≤' if name == 'at_most' else '≥'} {bar[name]:g}" for name in ("at_most", "at_least") if name in bar]
        relative = f" ÷ `{bar['relative_to']}`" if "relative_to" in bar else ""
        value = "not measured" if bar["value"] is None else f"{bar['value']:g}"
        table.append([f"`{bar['what']}`{relative}", " and ".join(wanted), value, "yes" if bar["passed"] else "**no**"])
    return markdown(table)


def markdown(table: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; the first row is its head."""
    head, *rows = table
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]


def write(name: str, result: dict[str, Any]) -> Path:
    """Writes the report beside the result file."""
    path = RESULTS / f"{name}.md"
    path.write_text(text(result), encoding="utf-8")
    return path
