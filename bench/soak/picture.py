"""The picture of a soak: throughput, memory and open files over time, with a mark for every fault."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.lab.picture import FAINT, GOOD, INK, STYLE

MARKS = {
    "kill": "#d6453d",
    "kill_host": "#8c1d18",
    "kill_service": "#e8833a",
    "restart": "#c9a227",
    "stall": "#7b5cd6",
    "disk_full": "#2e9e63",
    "clock_jump": "#3b82d6",
}
LINES = ("#3b82d6", "#2e9e63", "#d97b1f", "#d6453d", "#7b5cd6", "#c9a227", "#1f9aa8", "#b8527f", "#8a6d3b", "#808891")


def draw(path: Path, result: dict[str, Any]) -> None:
    """Draws a result to an SVG file; says so and does nothing where matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  only needed here, and large
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ModuleNotFoundError:
        print("No picture: matplotlib is not installed (make install).")
        return
    with mpl.rc_context(dict[Any, Any](STYLE)):
        figure = Figure(figsize=(11, 9), layout="constrained")
        through, memory, handles, faults = figure.subplots(4, 1, sharex=True, height_ratios=(2, 3, 2, 1.6))
        _through(through, result["series"])
        _parts(memory, result["samples"], column=4)
        _parts(handles, result["samples"], column=5)
        _faults(faults, result["faults"]["log"])
        for axis, label in ((through, "turns a minute"), (memory, "memory, MiB"), (handles, "open files")):
            axis.set_ylabel(label)
            axis.set_ylim(bottom=0)
        for axis in (through, memory, handles, faults):
            axis.grid(visible=True, color=FAINT, linewidth=0.5)
        for axis in (through, memory):
            axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        faults.set_xlabel("minutes; a line that ends and begins anew is a process that was replaced")
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _through(axis: Any, series: dict[str, Any]) -> None:
    step = series["step_seconds"]
    width = max(1, round(60 / step))
    for name, colour in (("asked", INK), ("answered", GOOD)):
        counts = series[name]
        sums = [sum(counts[max(0, end - width) : end]) for end in range(1, len(counts) + 1)]
        axis.plot([number * step / 60 for number in range(len(sums))], sums, color=colour, label=name)


def _parts(axis: Any, samples: list[list[Any]], *, column: int) -> None:
    by_part = defaultdict[str, list[list[Any]]](list)
    for sample in samples:
        by_part[sample[1]].append(sample)
    for colour, (part, found) in zip(LINES, sorted(by_part.items()), strict=False):
        for number, life in enumerate(_lives(found)):
            label = part if number == 0 else None
            axis.plot([one[0] / 60 for one in life], [one[column] for one in life], color=colour, label=label)


def _lives(samples: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """The samples of each process of a part, one after the other."""
    for _, life in groupby(samples, key=lambda sample: sample[2]):
        yield list(life)


def _faults(axis: Any, log: list[dict[str, Any]]) -> None:
    kinds = list(MARKS)
    for entry in log:
        row, begins = kinds.index(entry["kind"]), entry["began"] / 60
        seconds = entry["seconds"] if entry["kind"] == "clock_jump" else entry["lasted"]
        axis.plot([begins, begins + seconds / 60], [row, row], color=MARKS[entry["kind"]], linewidth=3)
        axis.plot([begins], [row], "|", color=MARKS[entry["kind"]], markersize=9)
    axis.set_yticks(range(len(kinds)), kinds)
    axis.set_ylim(-0.7, len(kinds) - 0.3)
