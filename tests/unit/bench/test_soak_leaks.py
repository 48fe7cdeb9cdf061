"""A leak is found through restarts and noise; growth of young processes, steps and noise alone are none."""

import dataclasses
import random

import pytest

from bench.soak.leaks import judge
from bench.soak.processes import Sample

STEP = 10.0


def samples(
    *, minutes: float, leak_mib_a_minute: float = 0.0, handles_a_minute: float = 0.0, killed_every: float = 1e9
) -> list[Sample]:
    """One part, with noise and the growth of youth, which begins anew with each process."""
    rng, found = random.Random(1), list[Sample]()
    for number in range(int(minutes * 60 / STEP)):
        at = number * STEP
        age = at % killed_every
        youth = min(age, 60.0) / 2
        memory = 150 + youth + leak_mib_a_minute * age / 60 + rng.uniform(-1, 1)
        handles = 40 + rng.randrange(3) + int(handles_a_minute * age / 60)
        found.append(Sample(at, "http-1", 100 + int(at // killed_every), age, memory, handles, 5))
    return found


def test_a_steady_part_is_flat_however_often_it_is_replaced() -> None:
    assert judge(samples(minutes=30))["http-1"]["flat"] is True
    assert judge(samples(minutes=30, killed_every=900))["http-1"]["flat"] is True


def test_memory_that_grows_is_found_also_when_the_process_is_replaced_again_and_again() -> None:
    found = judge(samples(minutes=30, leak_mib_a_minute=1.5, killed_every=900))["http-1"]

    assert found["flat"] is False
    assert 35 < found["memory_growth_mib"] < 55


def test_files_that_stay_open_are_found() -> None:
    found = judge(samples(minutes=30, handles_a_minute=1))["http-1"]

    assert found["flat"] is False
    assert found["memory_growth_mib"] < found["memory_growth_allowed_mib"]


def test_of_a_part_that_never_lives_long_nothing_is_claimed() -> None:
    assert judge(samples(minutes=30, killed_every=600))["http-1"]["flat"] is None


@pytest.mark.parametrize("when", [1000, 1350, 1700])
def test_one_step_is_no_leak_whenever_it_comes(when: int) -> None:
    stepped = [
        dataclasses.replace(
            one, memory_mib=one.memory_mib + 12 * (one.at > when), handles=one.handles + 9 * (one.at > when)
        )
        for one in samples(minutes=30)
    ]

    assert judge(stepped)["http-1"]["flat"] is True


def test_a_leak_that_takes_a_step_every_two_minutes_is_found() -> None:
    stepped = [dataclasses.replace(one, memory_mib=one.memory_mib + 3 * (one.at // 120)) for one in samples(minutes=30)]

    assert judge(stepped)["http-1"]["flat"] is False
