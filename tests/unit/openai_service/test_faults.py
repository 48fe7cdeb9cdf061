"""Faults: how often they strike, for how long, whom."""

from typing import Any

import pytest

from local.openai.config import Deployment
from local.openai.faults import Faults
from local.openai.fields import FieldError


def deployment(name: str = "chat", kind: str = "chat") -> Deployment:
    return Deployment(name, "sweden", "swedencentral", "gpt-4o-mini", kind, "standard", 1_000, 60)


def test_a_counted_fault_strikes_exactly_that_often_and_is_gone() -> None:
    faults = Faults(1)
    faults.add({"kind": "capacity", "count": 2}, 0.0)
    struck = [faults.effects(deployment(), 0.0).refusal is not None for _ in range(4)]
    assert struck == [True, True, False, False]
    assert faults.active(0.0) == []


def test_a_timed_fault_ends_on_time() -> None:
    faults = Faults(1)
    faults.add({"kind": "server_error", "seconds": 5}, 100.0)
    assert faults.effects(deployment(), 104.9).refusal is not None
    assert faults.effects(deployment(), 105.0).refusal is None


def test_a_likely_fault_strikes_about_that_often_and_the_same_calls_for_the_same_seed() -> None:
    draws = []
    for _ in range(2):
        faults = Faults(7)
        faults.add({"kind": "quota", "probability": 0.3}, 0.0)
        draws.append([faults.effects(deployment(), 0.0).refusal is not None for _ in range(2_000)])
    assert draws[0] == draws[1]
    assert 500 < sum(draws[0]) < 700


def test_a_fault_strikes_only_the_deployment_it_names() -> None:
    faults = Faults(1)
    faults.add({"kind": "quota", "deployment": "sweden/chat"}, 0.0)
    assert faults.effects(deployment("other"), 0.0).refusal is None
    assert faults.effects(deployment("chat"), 0.0).refusal is not None


def test_a_cut_without_count_lowers_the_limit_and_refuses_nothing_by_itself() -> None:
    faults = Faults(1)
    faults.add({"kind": "temporary_cut", "factor": 0.25}, 0.0)
    effects = faults.effects(deployment(), 0.0)
    assert effects.limit_share == 0.25
    assert effects.refusal is None


def test_a_counted_cut_lowers_the_limit_of_the_calls_it_turns_away() -> None:
    faults = Faults(1)
    faults.add({"kind": "temporary_cut", "count": 1}, 0.0)
    effects = faults.effects(deployment(), 0.0)
    assert effects.refusal is not None
    assert effects.limit_share == 0.5


def test_effects_add_up() -> None:
    faults = Faults(1)
    faults.add({"kind": "slow_everything", "factor": 2}, 0.0)
    faults.add({"kind": "slow_everything", "factor": 3}, 0.0)
    faults.add({"kind": "slow_first_token", "delay_seconds": 1.5}, 0.0)
    faults.add({"kind": "cut", "after_tokens": 4}, 0.0)
    effects = faults.effects(deployment(), 0.0)
    assert (effects.slow_factor, effects.first_token_delay_seconds) == (6.0, 1.5)
    assert effects.during["cut"].after_tokens == 4


def test_a_fault_of_answers_is_not_used_up_by_embeddings() -> None:
    faults = Faults(1)
    faults.add({"kind": "content_filter_completion", "count": 1}, 0.0)
    faults.effects(deployment(kind="embeddings"), 0.0)
    assert faults.effects(deployment(), 0.0).during


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"kind": "gremlin"}, "kind"),
        ({}, "kind"),
        ({"kind": "quota", "count": 0}, "count"),
        ({"kind": "quota", "probability": 2}, "probability"),
        ({"kind": "server_error", "status": 200}, "status"),
        ({"kind": "quota", "colour": "red"}, "colour"),
        ({"kind": "temporary_cut", "factor": 2}, "factor"),
        ({"kind": "stall", "delay_seconds": float("nan")}, "delay_seconds"),
    ],
)
def test_a_wrong_wish_is_refused_by_the_name_of_its_field(wish: dict[str, Any], path: str) -> None:
    with pytest.raises(FieldError) as refused:
        Faults(1).add(wish, 0.0)
    assert refused.value.path == path


def test_the_number_of_faults_is_bounded() -> None:
    faults = Faults(1)
    for _ in range(1_000):
        faults.add({"kind": "quota"}, 0.0)
    with pytest.raises(FieldError):
        faults.add({"kind": "quota"}, 0.0)
