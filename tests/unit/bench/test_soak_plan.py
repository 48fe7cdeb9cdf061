"""Traffic and faults of a soak are drawn from the seed, and a short soak has every kind of fault."""

from collections import Counter

from bench.soak import plan, traffic


def test_one_seed_is_one_soak_and_another_seed_another() -> None:
    one, again, other = (plan.draw(seed, 1800, every_seconds=15) for seed in (7, 7, 8))
    asked, asked_again = (traffic.draw(7, 600, 80, ["a", "b"]) for _ in range(2))

    assert one == again != other
    assert asked == asked_again


def test_every_kind_of_fault_comes_once_before_any_comes_twice() -> None:
    found = plan.draw(7, 180, every_seconds=8)

    assert {fault.kind for fault in found[: len(plan.KINDS)]} == set(plan.KINDS)


def test_faults_leave_the_beginning_and_the_end_alone_and_stay_in_their_bounds() -> None:
    found = plan.draw(3, 3600, every_seconds=15)

    assert found[0].at >= plan.CALM_AT_START_SECONDS
    assert found[-1].at < 3600 - plan.CALM_AT_END_SECONDS
    assert 150 < len(found) < 350
    for fault in found:
        kind = plan.KINDS[fault.kind]
        assert fault.part in kind.parts
        assert kind.seconds[0] - 0.01 <= fault.seconds <= kind.seconds[1] + 0.01
        assert (fault.offset_seconds != 0) == (kind.offsets is not None)


def test_nothing_is_replaced_while_processes_are_to_grow_old() -> None:
    found = [fault for fault in plan.draw(5, 2 * 3600, every_seconds=15) if plan.is_steady(fault.at, 2 * 3600)]

    assert len(found) > 100
    assert {fault.kind for fault in found} == {"stall", "disk_full", "clock_jump"}
    assert not any(fault.part in plan.KINDS[fault.kind].replaced for fault in found)


def test_all_manners_and_lanes_are_played_and_no_question_is_like_another() -> None:
    visits = traffic.draw(7, 1800, 80, ["How?", "Why?"])

    assert {visit.manner for visit in visits} == set(traffic.MANNERS)
    assert set(Counter(visit.planned.lane for visit in visits)) == set(traffic.LANES)
    assert len({visit.planned.text for visit in visits}) == len({visit.key for visit in visits}) == len(visits)
    assert 2000 < len(visits) < 2800
