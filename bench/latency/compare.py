"""Is one slower than the other? Two runs, or two deployments of one run, cell by cell, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.latency.call import Sample
from bench.latency.stats import holm, mann_whitney, median_difference_interval
from bench.latency.summary import METRICS

COMPARED = ("first_ms", "between_ms", "last_ms")
FEWEST = 8
"""With fewer values on a side no difference could be shown."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Pair:
    """Two samples of the same kind: what is compared, and the samples of each side."""

    name: str
    first: list[Sample]
    second: list[Sample]


def between_runs(first: Sequence[Sample], second: Sequence[Sample]) -> list[Pair]:
    """The cells that both runs have."""
    cells = sorted({sample.cell for sample in first} & {sample.cell for sample in second})
    return [
        Pair(str(cell), [s for s in first if s.cell == cell], [s for s in second if s.cell == cell]) for cell in cells
    ]


def between_targets(samples: Sequence[Sample]) -> list[Pair]:
    """Each two deployments of one run, for every size that both have."""
    targets = sorted({sample.target for sample in samples})
    sizes = sorted({sample.cell.size for sample in samples})
    return [
        Pair(
            f"{one} against {other}, {size[0]}→{size[1]}",
            [s for s in samples if s.target == one and s.cell.size == size],
            [s for s in samples if s.target == other and s.cell.size == size],
        )
        for size in sizes
        for index, one in enumerate(targets)
        for other in targets[index + 1 :]
    ]


def compare(
    pairs: Sequence[Pair], *, seed: int = 1, level: float = LEVEL, bootstrap_rounds: int = 2000
) -> list[dict[str, Any]]:
    """One row for each pair and metric. All p values of the comparison are adjusted together (Holm)."""
    rows = [_row(pair, metric, seed, bootstrap_rounds) for pair in pairs for metric in COMPARED]
    tested = [row for row in rows if row["p"] is not None]
    for row, p in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_adjusted"] = p
        row["differs"] = p < level
    for row in rows:
        row["words"] = words(row)
    return rows


def _values(samples: Sequence[Sample], metric: str) -> list[float]:
    return [value for sample in samples if sample.ok and (value := getattr(sample, metric)) is not None]


def _row(pair: Pair, metric: str, seed: int, bootstrap_rounds: int) -> dict[str, Any]:
    first, second = _values(pair.first, metric), _values(pair.second, metric)
    row: dict[str, Any] = {
        "what": pair.name,
        "metric": metric,
        "n": [len(first), len(second)],
        "p": None,
        "p_adjusted": None,
        "differs": False,
    }
    if min(len(first), len(second)) < FEWEST:
        return row
    test = mann_whitney(first, second)
    low, high = median_difference_interval(first, second, seed=seed, rounds=bootstrap_rounds)
    row |= {
        "medians": [median(first), median(second)],
        "difference_ms": median(second) - median(first),
        "interval_ms": [low, high],
        "second_slower_share": test.second_larger,
        "p": test.p,
    }
    return row


def words(row: dict[str, Any]) -> str:
    """What a row means, for people."""
    name = METRICS[row["metric"]]
    if row["p"] is None:
        return f"{row['what']}: too few answers to compare {name} ({row['n'][0]} and {row['n'][1]}, {FEWEST} needed)."
    low, high = row["interval_ms"]
    if not row["differs"]:
        bound = max(abs(low), abs(high))
        return (
            f"{row['what']}: no difference in {name} can be shown (p = {row['p_adjusted']:.2g}); "
            f"if there is one, its median is most likely below {bound:.3g} ms."
        )
    difference, base = row["difference_ms"], row["medians"][0]
    direction = "later" if difference > 0 else "earlier"
    if row["metric"] == "between_ms":
        direction = "longer" if difference > 0 else "shorter"
    share = f", {abs(difference) / base:.0%}" if base else ""
    return (
        f"{row['what']}: {name} is {abs(difference):.3g} ms {direction} in the second "
        f"(median{share}; 95 % interval {low:.3g} to {high:.3g} ms; p = {row['p_adjusted']:.2g}). "
        f"In {row['second_slower_share']:.0%} of pairs the second is the slower."
    )
