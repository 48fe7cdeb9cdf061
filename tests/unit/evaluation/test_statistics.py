"""Every statistic against scipy or statsmodels."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.inter_rater import cohens_kappa as reference_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from shared.evaluation.stats import mean as means
from shared.evaluation.stats.agreement import cohens_kappa
from shared.evaluation.stats.classification import macro_f1
from shared.evaluation.stats.paired import holm, mcnemar_p
from shared.evaluation.stats.proportion import items_until_above, items_until_below, standard_error, wilson
from shared.evaluation.stats.weighted import Weighted, weighted_mean, weighted_rate_interval

few = settings(max_examples=30, deadline=None)
counts = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@few
@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_equals_statsmodels(count: tuple[int, int], confidence: float) -> None:
    expected = proportion_confint(*count, alpha=1 - confidence, method="wilson")
    assert wilson(*count, confidence) == pytest.approx(expected, abs=1e-12)


def test_wilson_knows_nothing_without_items() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@few
@given(counts)
def test_the_error_of_a_rate_is_that_of_the_normal_approximation(count: tuple[int, int]) -> None:
    rate = count[0] / count[1]
    assert standard_error(rate, count[1]) == pytest.approx(float(np.sqrt(rate * (1 - rate) / count[1])))


@few
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=200))
def test_the_error_of_a_mean_equals_scipy(values: list[float]) -> None:
    assert means.standard_error(values) == pytest.approx(float(scipy_stats.sem(values)), abs=1e-9)
    assert means.quantile(sorted(values), 0.95) == pytest.approx(float(np.quantile(values, 0.95)), abs=1e-9)


def test_the_bootstrap_agrees_with_scipy() -> None:
    generator = random.Random(1)
    values = [generator.choice([1, 2, 3, 4, 5, 5, 5]) for _ in range(300)]
    expected: Any = scipy_stats.bootstrap((values,), np.mean, method="percentile", n_resamples=5_000, rng=1)
    found = means.mean_interval(values, seed=1)
    assert found == pytest.approx((expected.confidence_interval.low, expected.confidence_interval.high), abs=0.03)
    assert found == means.mean_interval(values, seed=1)
    assert found != means.mean_interval(values, seed=2)


def test_large_samples_use_the_normal_interval_that_the_bootstrap_converges_to() -> None:
    values = [float(number % 5) for number in range(2_001)]
    normal, drawn = means.mean_interval(values, seed=1), means.bootstrap(values, means.mean, seed=1)
    assert normal == pytest.approx(drawn, abs=0.01)


@few
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 10))
def test_kappa_and_its_error_equal_statsmodels(a: int, b: int, c: int, d: int, e: int) -> None:
    cells = {("no", "no"): a + 1, ("no", "yes"): b, ("yes", "no"): c, ("yes", "yes"): d + 1, ("maybe", "no"): e}
    labels = ["maybe", "no", "yes"] if e else ["no", "yes"]
    table = np.array([[cells.get((x, y), 0) for y in labels] for x in labels])
    expected = reference_kappa(table)
    found = cohens_kappa([pair for pair, count in cells.items() for _ in range(count)])
    assert found.value == pytest.approx(expected.kappa, abs=1e-9)
    assert found.standard_error == pytest.approx(float(np.sqrt(max(0.0, expected.var_kappa))), abs=1e-6)


def test_kappa_is_undefined_when_both_use_one_label() -> None:
    assert cohens_kappa([("no", "no")] * 9).interval == (-1.0, 1.0)


@few
@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_equals_the_exact_binomial_test(worse: int, better: int) -> None:
    if worse + better == 0:
        assert mcnemar_p(worse, better) == 1.0
        return
    expected = scipy_stats.binomtest(min(worse, better), worse + better, 0.5).pvalue
    assert mcnemar_p(worse, better) == pytest.approx(float(expected), rel=1e-9, abs=1e-15)


def test_mcnemar_holds_for_thousands_of_changes() -> None:
    expected = scipy_stats.binomtest(4_900, 10_000, 0.5).pvalue
    assert mcnemar_p(4_900, 5_100) == pytest.approx(float(expected), rel=1e-9)


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values, 0.05) == list(multipletests(p_values, alpha=0.05, method="holm")[0])


@few
@given(st.lists(st.tuples(st.floats(1, 50), st.integers(0, 1)), min_size=2, max_size=100))
def test_a_weighted_mean_equals_statsmodels(rows: list[tuple[float, int]]) -> None:
    found = weighted_mean([Weighted(value, weight, str(n)) for n, (weight, value) in enumerate(rows)])
    expected = DescrStatsW([value for _, value in rows], weights=[weight for weight, _ in rows])
    assert found.value == pytest.approx(float(expected.mean), abs=1e-9)


@few
@given(st.lists(st.integers(0, 1), min_size=5, max_size=300))
def test_equal_weights_change_nothing_but_the_degrees_of_freedom(values: list[int]) -> None:
    rows = [Weighted(value, 7.0, str(n)) for n, value in enumerate(values)]
    assert weighted_mean(rows).standard_error == pytest.approx(float(scipy_stats.sem(values)), abs=1e-12)
    low, high = weighted_rate_interval(rows)
    assert 0 <= low <= sum(values) / len(values) + 1e-12
    assert sum(values) / len(values) - 1e-12 <= high <= 1


@few
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcx")), min_size=1, max_size=60))
def test_macro_f1_is_the_mean_of_the_f1_of_each_true_label(pairs: list[tuple[str, str]]) -> None:
    scores = []
    for label in {true for true, _ in pairs}:
        hits = sum(pair == (label, label) for pair in pairs)
        precision_base, recall_base = sum(p == label for _, p in pairs), sum(t == label for t, _ in pairs)
        precision, recall = hits / precision_base if precision_base else 0.0, hits / recall_base
        scores.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    assert macro_f1(pairs) == pytest.approx(sum(scores) / len(scores))


@few
@given(st.floats(0, 0.3), st.floats(0.01, 0.5))
def test_the_needed_items_are_the_fewest_that_decide(rate: float, limit: float) -> None:
    needed = items_until_below(rate, limit)
    if rate >= limit:
        assert needed is None
    elif needed is not None:
        assert wilson(rate * needed, needed).high <= limit
        assert needed == 1 or wilson(rate * (needed - 1), needed - 1).high > limit


def test_the_needed_items_are_symmetric() -> None:
    assert items_until_above(0.95, 0.9) == items_until_below(0.05, 0.1)
