"""The picture of a run: what got through against the quota, who waited, and for how long; one column an arm."""

from pathlib import Path
from typing import Any

NAMES = {"spillway": "Spillway", "direct_sdk": "openai SDK", "litellm": "LiteLLM Router"}
LANES = {"interactive": "#3b82d6", "standard": "#2e9e63", "batch": "#d97b1f"}
INK, FAINT, GOOD, BAD = "#808891", "#80889144", "#3b82d6", "#d6453d"
"""Colours that are told apart on white and on black; the background stays transparent."""
STYLE: Any = {
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
    most_refused = max(max(refused_a_second(figures["series"]), default=0.0) for figures in arms.values())
    with mpl.rc_context(dict[Any, Any](STYLE)):
        figure = Figure(figsize=(4.2 * len(arms) + 0.6, 6.6), layout="constrained")
        axes = figure.subplots(3, len(arms), squeeze=False, sharex=True, sharey="row")
        for column, (arm, figures) in enumerate(arms.items()):
            _through(axes[0, column], NAMES[arm], figures, most_refused)
            _waiting(axes[1, column], axes[2, column], figures["series"])
        for axis, label in zip(
            axes[:, 0],
            ("thousand tokens in the last minute", "turns waiting", "wait of turns asked then, s"),
            strict=True,
        ):
            axis.set_ylabel(label)
        for axis in axes[:2, 0]:
            axis.legend(frameon=False, loc="upper left")
        for axis in axes.flat:
            axis.grid(visible=True, color=FAINT, linewidth=0.5)
            axis.set_ylim(bottom=0)
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _through(axis: Any, title: str, figures: dict[str, Any], most_refused: float) -> None:
    """Tokens of answered calls in the last minute against the quota, and calls that were refused."""
    series = figures["series"]
    times = moments(series)
    axis.set_title(f"{title}: {figures['success_share']:.0%} answered, {figures['calls_429']:,} calls refused")
    quota = series["quota_tokens_per_minute"] / 1000
    axis.axhline(quota, color=INK, linestyle="--", linewidth=1, label="quota")
    axis.plot(times, [value / 1000 for value in last_minute(series)], color=GOOD, label="answered")
    if most_refused:
        side = axis.twinx()
        side.fill_between(times, refused_a_second(series), color=BAD, alpha=0.35, linewidth=0)
        side.set_ylim(0, most_refused * 1.1)
        side.set_ylabel("429s a second", color=BAD)
        side.tick_params(colors=BAD)
        side.spines["right"].set_visible(False)


def _waiting(depth: Any, waits: Any, series: dict[str, Any]) -> None:
    """Who waits, and how long those waited who asked then; by lane."""
    times = moments(series)
    for lane, colour in LANES.items():
        if lane in series["waiting"]:
            depth.plot(times, series["waiting"][lane], color=colour, label=lane)
            known = [(at, wait) for at, wait in zip(times, series["wait_s"][lane], strict=True) if wait is not None]
            waits.plot([at for at, _ in known], [wait for _, wait in known], ".", color=colour, markersize=3)
    waits.set_xlabel("seconds")


def moments(series: dict[str, Any]) -> list[float]:
    """The time of each step."""
    return [series["step_seconds"] * number for number in range(len(series["goodput"]))]


def refused_a_second(series: dict[str, Any]) -> list[float]:
    """Refused calls a second at each step."""
    return [count / series["step_seconds"] for count in series["refused_calls"]]


def last_minute(series: dict[str, Any]) -> list[float]:
    """Tokens of answered calls in the minute up to each step, which is what a quota is held against."""
    step, rates = series["step_seconds"], series["goodput"]
    width = round(60 / step)
    return [sum(rates[max(0, end - width) : end]) * step / 60 for end in range(1, len(rates) + 1)]
