"""The result as people read it."""

from typing import Any


def text(result: dict[str, Any]) -> str:
    """A table of all lines, worst first, and the verdict."""
    rows = sorted(result["rows"], key=lambda row: row["agrees"])
    head = f"{'what':22} {'of':24} {'console':>12} {'referee':>12} {'differs':>9}"
    lines = [f"{result['scenario']}: the console beside the referee's account", head]
    lines += [_line(row) for row in rows]
    wrong = [row for row in rows if not row["agrees"]]
    said = "All agree." if not wrong else f"{len(wrong)} of {len(rows)} differ."
    return "\n".join([*lines, said])


def _line(row: dict[str, Any]) -> str:
    share = "" if row["differs_share"] is None else f"{100 * row['differs_share']:+.2f} %"
    mark = "" if row["agrees"] else "  DIFFERS"
    return f"{row['what']:22} {row['of']:24} {_shown(row['console'])} {_shown(row['referee'])} {share:>9}{mark}"


def _shown(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:,.10g}':>12}"
