"""The quota arithmetic: what is never exceeded, what is charged, when a call fits again."""

import math

from hypothesis import given
from hypothesis import strategies as st

from local.openai.quota.peaks import Peak
from local.openai.quota.provisioned import BURST_SHARE, ProvisionedQuota
from local.openai.quota.standard import SLICES_SECONDS, StandardQuota, slice_limit
from local.openai.quota.window import SlidingWindow

GAPS = st.one_of(st.just(0.0), st.floats(0.0, 3.0), st.floats(0.0, 90.0))
ARRIVALS = st.lists(st.tuples(GAPS, st.integers(1, 400)), max_size=120)


def most_in_any_window(admitted: list[tuple[float, int]], seconds: float) -> int:
    """The plain definition: for every admission, the sum over the window that ends with it."""
    return max(
        (sum(amount for time, amount in admitted if time + seconds > end >= time) for end, _ in admitted), default=0
    )


@given(ARRIVALS, st.integers(1, 1_000), st.integers(1, 120), st.sampled_from([2.0, 60.0]))
def test_no_window_ever_admits_more_than_the_quota(
    arrivals: list[tuple[float, int]], tokens_per_minute: int, requests_per_minute: int, window_seconds: float
) -> None:
    quota = StandardQuota(tokens_per_minute, requests_per_minute, window_seconds)
    now, admitted = 100.0, []
    for gap, estimate in arrivals:
        now += gap
        if quota.admit(now, estimate).admitted:
            admitted.append((now, estimate))
    assert most_in_any_window(admitted, window_seconds) <= tokens_per_minute
    for seconds in SLICES_SECONDS:
        requests = [(time, 1) for time, _ in admitted]
        assert most_in_any_window(requests, seconds) <= slice_limit(requests_per_minute, seconds)


@given(ARRIVALS, st.integers(1, 1_000))
def test_a_call_that_is_refused_for_tokens_fits_after_the_wait_it_was_told(
    arrivals: list[tuple[float, int]], tokens_per_minute: int
) -> None:
    quota = StandardQuota(tokens_per_minute, 10**6)
    now = 0.0
    for gap, estimate in arrivals:
        now += gap
        decision = quota.admit(now, estimate)
        if decision.reason == "tokens":
            now += decision.wait_seconds + 1e-6
            assert quota.admit(now, estimate).admitted


@given(ARRIVALS, st.integers(10, 2_000))
def test_a_provisioned_deployment_admits_at_most_drain_plus_bucket_plus_one_call(
    arrivals: list[tuple[float, int]], tokens_per_minute: int
) -> None:
    quota = ProvisionedQuota(tokens_per_minute, 1)
    now, admitted = 0.0, []
    for gap, estimate in arrivals:
        now += gap
        if quota.admit(now, estimate).admitted:
            admitted.append((now, estimate))
    for start, _ in admitted:
        for end, _ in admitted:
            taken = sum(amount for time, amount in admitted if start <= time <= end)
            bound = tokens_per_minute * ((end - start) / 60 + BURST_SHARE) + 400
            assert start > end or taken <= bound + 1e-6


@given(ARRIVALS)
def test_the_peak_is_the_largest_sum_of_any_window(arrivals: list[tuple[float, int]]) -> None:
    peak, now, seen = Peak(10.0), 0.0, []
    for gap, amount in arrivals:
        now += gap
        peak.add(now, amount)
        seen.append((now, amount))
    assert peak.most == most_in_any_window(seen, 10.0)


def test_a_charge_leaves_the_window_exactly_when_it_is_as_old_as_the_window() -> None:
    window = SlidingWindow(60.0)
    window.charge(0.0, 7)
    assert window.used(59.999) == 7
    assert window.used(60.0) == 0


def test_an_estimate_above_the_limit_is_oversized_and_never_fits() -> None:
    decision = StandardQuota(1_000, 600).admit(0.0, 1_001)
    assert (decision.reason, decision.wait_seconds) == ("oversized", math.inf)


def test_a_request_that_the_tokens_refuse_still_counts_as_a_request() -> None:
    quota = StandardQuota(100, 60)
    assert quota.admit(0.0, 100).admitted
    assert quota.standing(0.0).remaining_requests == 59
    assert quota.admit(2.0, 1).reason == "tokens"
    assert quota.standing(2.0).remaining_requests == 58


def test_a_request_that_the_slices_refuse_is_not_counted_again() -> None:
    quota = StandardQuota(10**6, 60)
    assert quota.admit(0.0, 1).admitted
    for number in range(1, 10):
        assert quota.admit(number / 10, 1).reason == "requests"
    assert quota.admit(1.0, 1).admitted


def test_requests_are_policed_in_one_and_ten_second_slices() -> None:
    quota = StandardQuota(10**6, 600)
    assert [quota.admit(0.0, 1).admitted for _ in range(11)] == [True] * 10 + [False]
    later = [quota.admit(1.0 + number * 0.05, 1).admitted for number in range(180)]
    assert sum(later) == 90
    assert quota.admit(9.95, 1).reason == "requests"
    assert quota.admit(10.0, 1).admitted


def test_a_failed_call_keeps_its_charge_on_a_standard_deployment() -> None:
    quota = StandardQuota(100, 600)
    quota.admit(0.0, 80)
    quota.settle(1.0, 80, 0)
    assert quota.standing(1.0).remaining_tokens == 20


def test_a_temporary_cut_lowers_the_limit_and_says_that_it_was_the_cut() -> None:
    quota = StandardQuota(100, 600)
    assert quota.admit(0.0, 40, token_limit=50).admitted
    decision = quota.admit(1.0, 40, token_limit=50)
    assert (decision.reason, decision.cut) == ("tokens", True)
    assert quota.standing(1.0, token_limit=50).limit_tokens == 50
    assert quota.admit(2.0, 40).admitted


def test_utilisation_rises_by_the_estimate_and_is_corrected_when_the_call_ends() -> None:
    quota = ProvisionedQuota(6_000, 1)
    quota.admit(0.0, 500)
    assert quota.standing(0.0).utilization_percent == 50.0
    quota.settle(0.0, 500, 100)
    assert quota.standing(0.0).utilization_percent == 10.0


def test_a_provisioned_deployment_refuses_above_100_percent_until_it_has_drained() -> None:
    quota = ProvisionedQuota(6_000, 1)
    assert quota.admit(0.0, 1_000).admitted
    assert quota.admit(0.0, 1_000).admitted
    decision = quota.admit(0.0, 1)
    assert (decision.reason, decision.wait_seconds) == ("utilization", 10.0)
    assert not quota.admit(9.9, 1).admitted
    assert quota.admit(10.0, 1).admitted


def test_a_shorter_window_admits_the_same_tokens_in_less_time() -> None:
    quota = StandardQuota(100, 6_000, window_seconds=2.0)
    assert quota.admit(0.0, 100).admitted
    assert quota.admit(1.9, 1).wait_seconds < 0.11
    assert quota.admit(2.0, 100).admitted
