"""A result as a person reads it: a table of arms, a table of bars."""

from collections.abc import Sequence
from typing import Any

from bench.lab.bars import look_up

ROWS = (
    ("asked", "asked", "{:,.0f}"),
    ("accepted", "accepted", "{:,.0f}"),
    ("lost", "accepted and lost", "{:,.0f}"),
    ("unfinished", "of these still open when the run ended", "{:,.0f}"),
    ("expired", "expired", "{:,.0f}"),
    ("duplicated", "answered twice", "{:,.0f}"),
    ("success_share", "answered, share of asked", "{:.1%}"),
    ("refused.refusals", "refusals", "{:,.0f}"),
    ("refused.unavailable", "answered 503", "{:,.0f}"),
    ("refused.honest_share", "taken when they came back", "{:.1%}"),
    ("utilisation_under_backlog", "quota used while there is backlog", "{:.1%}"),
    ("max_window_overshoot", "worst minute over quota by", "{:.1%}"),
    ("calls", "calls", "{:,.0f}"),
    ("wasted_calls", "calls for nothing", "{:,.0f}"),
    ("calls_per_success", "calls per answer", "{:.2f}"),
    ("extra_tokens_share", "tokens of calls closed early, of all", "{:.1%}"),
    ("share_429", "calls answered 429", "{:.1%}"),
    ("inversions_share", "neighbours out of order", "{:.1%}"),
    ("lanes.interactive.wait_s.p50", "interactive wait p50, s", "{:.1f}"),
    ("lanes.interactive.wait_s.p95", "interactive wait p95, s", "{:.1f}"),
    ("lanes.standard.wait_s.p95", "standard wait p95, s", "{:.1f}"),
    ("lanes.batch.wait_s.p95", "batch wait p95, s", "{:.1f}"),
    ("lanes.interactive.caller_ttft_s.p95", "interactive first token p95, s", "{:.1f}"),
    ("estimates.within_share", "told waits within 5 s or a quarter", "{:.1%}"),
    ("streams.turns_cut", "turns cut in mid-answer", "{:,.0f}"),
    ("streams.duplicate_visible_tokens", "duplicate visible tokens", "{:,.0f}"),
    ("drained_after_s", "all answered after, s", "{:.0f}"),
    ("asked_late_s.p99", "generator late p99, s", "{:.3f}"),
)


def text(result: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    lines = [
        f"# {result['scenario']}: {result['title']}",
        "",
        _conditions(result),
        "",
        *_arms(result["arms"]),
        "",
        *_bars(result.get("bars", [])),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _conditions(result: dict[str, Any]) -> str:
    machine, quota = result["machine"], result["quota_tokens_per_minute"]
    return (
        f"{result['turns']:,} turns from the texts of {result['texts']}, seed {result['seed']}, "
        f"{'all durations times ' + format(result['scale'], 'g') + ', ' if result['scale'] != 1 else ''}"
        f"quota {sum(quota.values()):,} tokens a minute in {len(quota)} deployments. "
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, Python {machine['python']}, "
        f"load average {machine['load_average_at_start']} at the start, commit {machine['commit']}, {machine['at']}."
    )


def _arms(arms: dict[str, Any]) -> list[str]:
    table = [["", *(f"{name} ({figures['client']})" if name != "spillway" else name for name, figures in arms.items())]]
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
        signs = {"at_most": "≤", "at_least": "≥"}
        wanted = [f"{sign} {bar[name]:g}" for name, sign in signs.items() if name in bar]
        relative = f" ÷ `{bar['relative_to']}`" if "relative_to" in bar else ""
        value = "not measured" if bar["value"] is None else f"{bar['value']:g}"
        table.append([f"`{bar['what']}`{relative}", " and ".join(wanted), value, "yes" if bar["passed"] else "**no**"])
    return markdown(table)


def markdown(table: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; the first row is its head."""
    head, *rows = table
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
