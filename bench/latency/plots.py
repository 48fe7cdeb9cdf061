"""Pictures of a run: what each cell took, and whether it changed while the run went on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.latency.call import Sample
from bench.latency.summary import METRICS

SHOWN = ("first_ms", "between_ms", "last_ms")


def draw(samples: Sequence[Sample], folder: Path) -> list[Path]:
    """Writes the pictures as SVG and says where.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl  # noqa: PLC0415  needed for pictures only

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "latency"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    good = [sample for sample in samples if sample.ok]
    paths = [folder / "latency-distribution.svg", folder / "latency-over-time.svg"]
    for path, paint in zip(paths, (_boxes, _course), strict=True):
        figure = paint(plt, good)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
    return paths


def _boxes(plt: Any, samples: Sequence[Sample]) -> Any:
    cells = sorted({sample.cell for sample in samples})
    figure, axes = plt.subplots(1, len(SHOWN), figsize=(14, 1.2 + 0.42 * len(cells)), layout="constrained")
    for axis, metric in zip(axes, SHOWN, strict=True):
        values = [
            [value for s in samples if s.cell == cell and (value := getattr(s, metric)) is not None] for cell in cells
        ]
        axis.boxplot(values, orientation="horizontal", whis=(5, 95), widths=0.6)
        axis.set_yticks(range(1, len(cells) + 1), [str(cell) for cell in cells] if metric == SHOWN[0] else [])
        axis.set_title(METRICS[metric])
        axis.set_xlabel("ms (box: quartiles, whiskers: 5 % and 95 %)")
        axis.set_xlim(left=0)
        axis.invert_yaxis()
    return figure


def _course(plt: Any, samples: Sequence[Sample]) -> Any:
    figure, axis = plt.subplots(figsize=(14, 4), layout="constrained")
    begin = min((sample.at for sample in samples), default=0.0)
    for target in sorted({sample.target for sample in samples}):
        own = [sample for sample in samples if sample.target == target]
        axis.plot([s.at - begin for s in own], [s.first_ms for s in own], ".", label=target)
    axis.set_title("Time to first token in the course of the run")
    axis.set_xlabel("seconds since the first call")
    axis.set_ylabel("ms")
    axis.set_ylim(bottom=0)
    if samples:
        axis.legend()
    return figure
