"""A judge is trusted only after it was compared with people."""

import json
import random
from collections.abc import Awaitable, Callable

import pytest

from shared.evaluation.errors import JudgeError, UntrustedJudgeError
from shared.evaluation.scorers.truthfulness import TruthfulnessScorer
from shared.evaluation.trust import Labelled, TrustBar, measure_agreement, rater_of, require_trust, shortfalls

from .support import judge

LABELLED = [Labelled(str(n), f"q{n}", f"a{n}", "yes" if n % 5 < 2 else "no") for n in range(4_000)]
BAR = TrustBar()


def noisy(error_rate: float, seed: int) -> Callable[[Labelled], Awaitable[str]]:
    """A judge that gives the wrong label with a known probability."""
    generator = random.Random(seed)

    async def rate(row: Labelled) -> str:
        wrong = generator.random() < error_rate
        return {"yes": "no", "no": "yes"}[row.label] if wrong else row.label

    return rate


@pytest.mark.parametrize("error_rate", [0.05, 0.2, 0.4])
async def test_the_intervals_cover_the_true_agreement(error_rate: float) -> None:
    agreed = 1 - error_rate
    yes = 0.4 * agreed + 0.6 * error_rate
    chance = 0.4 * yes + 0.6 * (1 - yes)
    true_kappa = (agreed - chance) / (1 - chance)
    covered_accuracy = covered_kappa = 0
    for seed in range(40):
        found = await measure_agreement(noisy(error_rate, seed), LABELLED, sample_size=300, seed=seed)
        covered_accuracy += agreed in found.accuracy_interval
        covered_kappa += true_kappa in found.kappa.interval
    assert covered_accuracy >= 36
    assert covered_kappa >= 36


async def test_a_good_judge_passes_the_bar_and_a_poor_one_is_refused() -> None:
    good = await measure_agreement(noisy(0.05, 1), LABELLED, sample_size=400, seed=1)
    poor = await measure_agreement(noisy(0.35, 1), LABELLED, sample_size=400, seed=1)
    require_trust(good, BAR)
    with pytest.raises(UntrustedJudgeError, match=r"agreement .* is under 75\.0%; kappa"):
        require_trust(poor, BAR)


async def test_a_judge_that_always_says_no_agrees_often_and_is_refused_all_the_same() -> None:
    async def no(_: Labelled) -> str:
        return "no"

    found = await measure_agreement(no, LABELLED, sample_size=400, seed=1)
    assert found.accuracy == pytest.approx(0.6, abs=0.06)
    assert found.kappa.value == 0
    assert shortfalls(found, TrustBar(min_accuracy=0.5)) == ["kappa 0.00, at worst -0.12, is under 0.50"]


async def test_a_lucky_small_sample_does_not_pass() -> None:
    found = await measure_agreement(noisy(0, 1), LABELLED, sample_size=20, seed=1)
    assert shortfalls(found, BAR) == ["only 20 rows were compared, 200 are needed"]


async def test_missing_judgements_count_as_disagreement() -> None:
    async def fails_often(row: Labelled) -> str:
        if int(row.item_id) % 4 == 0:
            raise JudgeError("prose")
        return row.label

    found = await measure_agreement(fails_often, LABELLED, sample_size=4_000, seed=1)
    assert (found.judge_errors, found.accuracy, found.kappa.value) == (1_000, 0.75, 1)
    assert "25.0% of the rows got no judgement" in shortfalls(found, BAR)


async def test_the_sample_is_the_same_for_the_same_seed() -> None:
    seen: list[list[str]] = []
    for seed in (1, 1, 2):
        drawn: list[str] = []

        async def rate(row: Labelled, drawn: list[str] = drawn) -> str:
            drawn.append(row.item_id)
            return "no"

        await measure_agreement(rate, LABELLED, sample_size=50, seed=seed)
        seen.append(drawn)
    assert seen[0] == seen[1] != seen[2]


async def test_the_evaluator_that_will_judge_is_the_one_that_is_calibrated() -> None:
    yes = json.dumps({"true": "yes", "reason": "r"})
    found = await measure_agreement(rater_of(TruthfulnessScorer(judge(yes))), LABELLED, sample_size=50, seed=1)
    assert set(found.confusion) == {("yes", "yes"), ("no", "yes")}


async def test_agreement_with_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        await measure_agreement(noisy(0, 1), [], sample_size=5, seed=1)
