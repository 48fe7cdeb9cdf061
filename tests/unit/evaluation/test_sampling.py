"""Sampling, weights and drift over simulated production."""

import random

import pytest

from shared.evaluation.drift import DriftBaseline, DriftRule, DriftState, update
from shared.evaluation.metrics import Kind, Metric, measure
from shared.evaluation.records import Score
from shared.evaluation.sampling import SamplingPlan, Stratum, draw, fitted, uniform

from .support import a_score

PLAN = SamplingPlan("salt", base_rate=0.1)


def simulated(seed: int, *, sessions: int = 600) -> tuple[float, float, list[Score]]:
    """A population with more faults in the oversampled strata: (true pass rate, true mean, drawn scores)."""
    generator = random.Random(seed)
    plan = SamplingPlan(f"salt-{seed}", base_rate=0.1)
    passed, values, drawn, number = 0, 0.0, [], 0
    for session in range(sessions):
        mood = generator.gauss(0, 0.3)
        for _ in range(generator.randint(1, 4)):
            number += 1
            angry = generator.random() < 0.08
            good = generator.random() < (0.35 if angry else 0.88)
            value = min(5.0, max(1.0, generator.gauss((2.5 if angry else 4.0) + mood, 0.7)))
            passed, values = passed + good, values + value
            one = draw(plan, f"s{session}", [Stratum.NEGATIVE_FEEDBACK] if angry else [])
            if one.drawn:
                drawn.append(a_score(number, passed=good, value=value, weight=one.weight, cluster=one.cluster))
    return passed / number, values / number, drawn


def test_weighted_intervals_cover_the_truth_in_93_to_97_of_100_populations() -> None:
    rate, mean = Metric("rate", "relevance", Kind.RATE), Metric("mean", "relevance", Kind.MEAN)
    covered = {"rate": 0, "mean": 0, "rate without weights": 0}
    for seed in range(200):
        true_rate, true_mean, drawn = simulated(seed)
        covered["rate"] += true_rate in measure(rate, drawn).interval
        covered["mean"] += true_mean in measure(mean, drawn).interval
        plain = [a_score(number, passed=score.passed) for number, score in enumerate(drawn)]
        covered["rate without weights"] += true_rate in measure(rate, plain).interval
    assert 186 <= covered["rate"] <= 194
    assert 186 <= covered["mean"] <= 194
    assert covered["rate without weights"] < 100


def test_a_replayed_turn_is_drawn_again_or_never() -> None:
    for session in map(str, range(500)):
        assert draw(PLAN, session) == draw(PLAN, session)


def test_a_session_drawn_at_a_low_rate_is_drawn_at_every_higher_rate() -> None:
    for session in map(str, range(500)):
        if draw(PLAN, session).drawn:
            assert draw(PLAN, session, [Stratum.ERROR]).drawn


def test_the_share_of_drawn_sessions_is_the_rate() -> None:
    drawn = sum(draw(PLAN, f"s{number}").drawn for number in range(20_000))
    assert drawn / 20_000 == pytest.approx(0.1, abs=0.01)


def test_another_salt_draws_other_sessions() -> None:
    assert uniform("a", "session") != uniform("b", "session")
    assert uniform("ab", "c") != uniform("a", "bc")


def test_negative_feedback_is_always_looked_at() -> None:
    assert all(draw(PLAN, str(number), [Stratum.NEGATIVE_FEEDBACK]).drawn for number in range(200))


def test_the_highest_rate_of_several_strata_counts() -> None:
    assert draw(PLAN, "s", [Stratum.NEW_VERSION, Stratum.ERROR]).weight == 2


@pytest.mark.parametrize("rate", [0, -0.1, 1.1])
def test_a_rate_that_is_no_probability_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="base_rate"):
        SamplingPlan("salt", base_rate=rate)


def test_an_hourly_cap_lowers_the_rates_and_not_the_truth() -> None:
    plan = fitted(PLAN, turns_per_hour={None: 10_000, Stratum.ERROR: 1_000}, max_per_hour=300)
    assert plan.base_rate * 10_000 + plan.stratum_rates[Stratum.ERROR] * 1_000 == pytest.approx(300)
    assert fitted(PLAN, turns_per_hour={None: 100}, max_per_hour=300) == PLAN
    with pytest.raises(ValueError, match="above 0"):
        fitted(PLAN, turns_per_hour={None: 100}, max_per_hour=0)


BASELINE = DriftBaseline(mean=0.9, standard_deviation=0.3, count=2_000)


def alarms(seed: int, rate: float, scores: int) -> list[tuple[int, str]]:
    generator, state, found = random.Random(seed), DriftState(), []
    for number in range(scores):
        state, alarm = update(state, float(generator.random() < rate), BASELINE, DriftRule())
        if alarm:
            found.append((number, alarm))
    return found


def test_drift_is_rarely_reported_when_there_is_none() -> None:
    assert sum(bool(alarms(seed, 0.9, 600)) for seed in range(20)) <= 2


def test_a_baseline_learned_from_300_scores_gives_few_false_alarms_and_finds_a_fall() -> None:
    found = {0.9: 0, 0.8: 0}
    for rate in found:
        for seed in range(40):
            draw = random.Random(seed)
            learned = [float(draw.random() < 0.9) for _ in range(300)]
            mean = sum(learned) / 300
            baseline, state = DriftBaseline(mean, (mean * (1 - mean)) ** 0.5, 300), DriftState()
            for _ in range(600):
                state, alarm = update(state, float(draw.random() < rate), baseline, DriftRule())
                if alarm:
                    found[rate] += 1
                    break
    assert found[0.9] <= 2
    assert found[0.8] >= 36


def test_a_fall_by_ten_points_is_seen_within_400_scores() -> None:
    falls = [alarms(seed, 0.8, 400) for seed in range(20)]
    assert sum(bool(found) and found[0][1] == "fell" for found in falls) >= 19


def test_a_rise_is_told_from_a_fall() -> None:
    assert sum(bool(found := alarms(seed, 1.0, 600)) and found[0][1] == "rose" for seed in range(20)) >= 19


def test_nothing_is_said_before_the_minimum_number_of_scores() -> None:
    assert alarms(1, 0.0, 59) == []
    assert alarms(1, 0.0, 60) == [(59, "fell")]


def test_oversampled_bad_turns_do_not_look_like_drift() -> None:
    generator, weighted, unweighted = random.Random(5), DriftState(), DriftState()
    heard: dict[str, int] = {"weighted": 0, "unweighted": 0}
    for _ in range(2_000):
        bad = generator.random() < 0.5
        value = float(generator.random() < (0.5 if bad else 0.947))
        weighted, first = update(weighted, value, BASELINE, DriftRule(), weight=2 if bad else 17)
        unweighted, second = update(unweighted, value, BASELINE, DriftRule())
        heard["weighted"] += first == "fell"
        heard["unweighted"] += second == "fell"
    assert heard["weighted"] == 0
    assert heard["unweighted"] > 5


def test_a_baseline_without_any_spread_is_left_by_the_first_different_batch() -> None:
    baseline = DriftBaseline(mean=1.0, standard_deviation=0.0, count=100)
    state, rule = DriftState(), DriftRule(batch_size=5, minimum_count=5)
    heard = []
    for value in [1, 1, 1, 1, 1, 1, 1, 0, 1, 1]:
        state, alarm = update(state, value, baseline, rule)
        heard.append(alarm)
    assert heard == [""] * 9 + ["fell"]
