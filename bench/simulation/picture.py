"""One picture: the simulation beside the real stack at small scale, and the fleet at full size."""

from pathlib import Path
from typing import Any

from bench.lab.picture import BAD, FAINT, GOOD, INK, LANES, STYLE, last_minute, moments

ROWS = ("thousand tokens in the last minute", "turns waiting", "wait of turns asked then, s")


def draw(path: Path, result: dict[str, Any]) -> None:
    """Draws a result to an SVG file; says so and does nothing where matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  only needed here, and large
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ModuleNotFoundError:
        print("No picture: matplotlib is not installed (make install).")
        return
    against = result.get("against")
    shapes = {entry["conditions"]["shape"]: entry for entry in reversed(result["runs"])}
    columns = ([against] if against else []) + list(shapes.values())[::-1]
    with mpl.rc_context(dict[Any, Any](STYLE)):
        figure = Figure(figsize=(4.2 * len(columns) + 0.6, 6.6), layout="constrained")
        axes = figure.subplots(3, len(columns), squeeze=False, sharex="col")
        for column, entry in enumerate(columns):
            if against and entry is against:
                _compare(axes[:, column], against)
            else:
                _run(axes[:, column], entry)
        for axis, label in zip(axes[:, 0], ROWS, strict=True):
            axis.set_ylabel(label)
        for axis in axes.flat:
            axis.grid(visible=True, color=FAINT, linewidth=0.5)
            axis.set_ylim(bottom=0)
        for axis in axes[2]:
            axis.set_xlabel("seconds")
        for axis in axes[:2, 0] if against else ():
            axis.legend(frameon=False, loc="upper right")
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _compare(axes: Any, entry: dict[str, Any]) -> None:
    """Real in full lines, simulated in broken ones."""
    real, simulated = entry["series"]["real"], entry["series"]["simulated"]
    axes[0].set_title(f"surge of {entry['turns']:,} turns: real (full), simulated (broken)")
    axes[0].axhline(real["quota_tokens_per_minute"] / 1000, color=INK, linestyle=":", linewidth=1, label="quota")
    for series, line, name in ((real, "-", "real"), (simulated, "--", "simulated")):
        axes[0].plot(moments(series), _thousands(series), line, color=GOOD if line == "-" else BAD, label=name)
        for lane, colour in LANES.items():
            label = lane if line == "-" else None
            axes[1].plot(moments(series), series["waiting"][lane], line, color=colour, label=label)
            _waits(axes[2], series, lane, "." if line == "-" else "x", colour)


def _run(axes: Any, entry: dict[str, Any]) -> None:
    series = entry["figures"]["series"]
    axes[0].set_title(entry["name"])
    axes[0].axhline(series["quota_tokens_per_minute"] / 1000, color=INK, linestyle=":", linewidth=1)
    axes[0].plot(moments(series), _thousands(series), color=BAD)
    for lane, colour in LANES.items():
        axes[1].plot(moments(series), series["waiting"][lane], color=colour)
        _waits(axes[2], series, lane, "x", colour)


def _thousands(series: dict[str, Any]) -> list[float]:
    return [value / 1000 for value in last_minute(series)]


def _waits(axis: Any, series: dict[str, Any], lane: str, marker: str, colour: str) -> None:
    known = [(at, wait) for at, wait in zip(moments(series), series["wait_s"][lane], strict=True) if wait is not None]
    axis.plot([at for at, _ in known], [wait for _, wait in known], marker, color=colour, markersize=3)
