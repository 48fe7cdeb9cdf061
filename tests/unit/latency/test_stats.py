"""The statistics of the latency benchmark against SciPy, NumPy and statsmodels, and their error rates."""

import random

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from bench.latency.call import Sample
from bench.latency.compare import Pair, compare, words
from bench.latency.stats import (
    describe,
    holm,
    mann_whitney,
    median_difference_interval,
    quantile,
    share_interval,
)

SEEDS = range(30)


def drawn(seed: int, count: int, *, shift: float = 0.0, ties: bool = False) -> list[float]:
    draw = random.Random(seed)
    values = [draw.lognormvariate(5, 0.3) + shift for _ in range(count)]
    return [round(value, -1) for value in values] if ties else values


@pytest.mark.parametrize("seed", SEEDS)
def test_quantiles_and_spread_are_those_of_numpy_and_scipy(seed: int) -> None:
    values = drawn(seed, 1 + seed * 7)
    found = describe(values)

    for share in (0, 0.01, 0.25, 0.5, 0.95, 0.99, 1):
        assert quantile(values, share) == pytest.approx(np.quantile(values, share))
    assert found["iqr"] == pytest.approx(scipy_stats.iqr(values))
    if len(values) > 1:
        assert found["cv"] == pytest.approx(scipy_stats.variation(values, ddof=1))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_rank_test_is_that_of_scipy(seed: int, ties: bool) -> None:
    first = drawn(seed, 10 + seed, ties=ties)
    second = drawn(seed + 1000, 12 + seed, shift=seed, ties=ties)
    expected = scipy_stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=True)
    found = mann_whitney(first, second)

    assert found.u == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.second_larger == pytest.approx(1 - expected.statistic / (len(first) * len(second)))


def test_samples_without_any_difference_have_none() -> None:
    assert mann_whitney([5.0] * 20, [5.0] * 20).p == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_adjusted_p_values_are_those_of_statsmodels(seed: int) -> None:
    draw = random.Random(seed)
    values = [draw.random() ** 4 for _ in range(1 + seed)]

    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (3, 20), (20, 20), (1, 1), (500, 1000)])
def test_intervals_of_rates_are_those_of_statsmodels(hits: int, n: int) -> None:
    assert share_interval(hits, n) == pytest.approx(proportion_confint(hits, n, method="wilson"))
    assert share_interval(0, 0) == (0.0, 1.0)


def test_the_interval_of_the_difference_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        first, second = drawn(seed, 40), drawn(seed + 5000, 40, shift=30)
        low, high = median_difference_interval(first, second, seed=seed, rounds=300)
        covered += low <= 30 <= high

    assert 0.90 <= covered / 200 <= 0.99


def pair(first: list[float], second: list[float]) -> Pair:
    def samples(values: list[float]) -> list[Sample]:
        return [
            Sample(n, 100, 10, "x", 0.0, 200, first_ms=value, between_ms=value / 20, last_ms=value * 2)
            for n, value in enumerate(values)
        ]

    return Pair("a against b", samples(first), samples(second))


def test_equal_deployments_are_called_different_no_more_often_than_the_level_allows() -> None:
    wrong = sum(
        any(row["differs"] for row in compare([pair(drawn(seed, 25), drawn(seed + 9000, 25))], bootstrap_rounds=2))
        for seed in range(150)
    )

    assert wrong / 150 <= 0.07


def test_a_difference_is_found_and_told_in_words_with_size_and_direction() -> None:
    rows = compare([pair(drawn(1, 60), drawn(2, 60, shift=60))])
    first = rows[0]

    assert first["differs"]
    assert first["interval_ms"][0] < 60 < first["interval_ms"][1]
    assert "later in the second" in first["words"]
    assert "no difference" in compare([pair(drawn(1, 60), drawn(2, 60))])[0]["words"]


def test_too_few_answers_are_not_compared() -> None:
    row = compare([pair(drawn(1, 7), drawn(2, 60, shift=500))])[0]

    assert not row["differs"]
    assert "too few answers" in words(row)
