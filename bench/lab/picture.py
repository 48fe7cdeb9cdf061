"""The picture of a run: what got through against the quota, who waited, and for how long; one column an arm."""

from pathlib import Path
from typing import Any

NAMES = {"spillway": "Spillway", "direct_sdk": "openai SDK", "litellm": "LiteLLM Router"}
LANES = {"interactive": "#3b82d6", "standard": "#2e9e63", "batch": "#d97b1f"}
INK, FAINT, GOOD, BAD = "#808891", "#80889144", "#3b82d6", "#d6453d"
"""Colours that are told apart on white and on black; the background stays transparent."""
STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "spillway",
}


def draw(path: Path, result: dict[str, Any]) -> None:
    """Draws a result to an SVG file; says so and does nothing where matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  only needed here, and large
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ModuleNotFoundError:
        print("No picture: matplotlib is not installed (make install).")
        return
    arms = result["arms"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2 * len(arms) + 0.6, 6.6), layout="constrained")
        axes = figure.subplots(3, len(arms), squeeze=False, sharex=True, sharey="row")
        for column, (arm, figures) in enumerate(arms.items()):
            _arm(axes[:, column], NAMES[arm], figures, first=column == 0)
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _arm(axes: Any, title: str, figures: dict[str, Any], *, first: bool) -> None:
    series = figures["series"]
    step = series["step_seconds"]
    times = [step * number for number in range(len(series["goodput"]))]
    top, middle, bottom = axes
    share = figures["success_share"]
    top.set_title(f"{title}: {share:.0%} answered, {figures['calls_429']:,} calls refused")
    quota = series["quota_tokens_per_minute"] / 1000
    top.axhline(quota, color=INK, linestyle="--", linewidth=1, label="quota")
    top.plot(times, [value / 1000 for value in smoothed(series["goodput"], 5)], color=GOOD, label="answered")
    refused = [value / step for value in series["refused_calls"]]
    if any(refused):
        side = top.twinx()
        side.fill_between(times, refused, color=BAD, alpha=0.35, linewidth=0)
        side.set_ylabel("429s a second", color=BAD)
        side.tick_params(colors=BAD)
        side.spines["right"].set_visible(False)
    for lane, colour in LANES.items():
        if lane in series["waiting"]:
            middle.plot(times, series["waiting"][lane], color=colour, label=lane)
            known = [(at, wait) for at, wait in zip(times, series["wait_s"][lane], strict=True) if wait is not None]
            bottom.plot([at for at, _ in known], [wait for _, wait in known], ".", color=colour, markersize=3)
    bottom.set_xlabel("seconds")
    if first:
        top.set_ylabel("thousand tokens a minute")
        middle.set_ylabel("turns waiting")
        bottom.set_ylabel("wait of turns asked then, s")
        for axis in (top, middle):
            axis.legend(frameon=False, loc="upper right")
    for axis in axes:
        axis.grid(visible=True, color=FAINT, linewidth=0.5)
        axis.set_ylim(bottom=0)


def smoothed(values: list[float], width: int) -> list[float]:
    """The running mean over `width` steps, fewer at the ends."""
    half = width // 2
    windows = [values[max(0, number - half) : number + half + 1] for number in range(len(values))]
    return [sum(window) / len(window) for window in windows]
