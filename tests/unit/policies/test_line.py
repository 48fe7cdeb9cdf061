"""The line: first come first served in a flow, no flow starves, and nobody pays for another's crowd."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policies.line import FLOORS, MAX_FLOWS, Line, Ticket, joined, poured, rewound, tokens_until_due

JOINS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc"), st.integers(1, 2000)), min_size=1, max_size=30)


def line_of(joins: list[tuple[int, str, int]]) -> tuple[Line, list[Ticket]]:
    line, tickets = Line(), list[Ticket]()
    for rank, tenant, tokens in joins:
        line, ticket = joined(line, rank=rank, tenant=tenant, tokens=tokens)
        tickets.append(ticket)
    return line, tickets


@given(JOINS)
def test_all_that_was_booked_is_reached_when_as_much_has_come_and_not_before(joins: list[tuple[int, str, int]]) -> None:
    line, _ = line_of(joins)
    booked = sum(tokens for _, _, tokens in joins)

    assert math.isclose(sum(flow.waiting for flow in poured(line, booked - 0.5).flows), 0.5, abs_tol=1e-3)
    assert poured(line, booked).flows == ()


@given(JOINS, st.floats(0, 20_000))
def test_inside_a_flow_turns_are_due_in_the_order_in_which_they_joined(
    joins: list[tuple[int, str, int]], tokens: float
) -> None:
    line, tickets = line_of(joins)
    line = poured(line, tokens)
    waits: dict[tuple[int, str], list[float]] = {}
    for ticket in tickets:
        waits.setdefault((ticket.rank, ticket.key), []).append(tokens_until_due(line, ticket))

    assert all(flow == sorted(flow) for flow in waits.values())


@given(JOINS)
def test_the_predicted_tokens_are_those_after_which_the_turn_is_due(joins: list[tuple[int, str, int]]) -> None:
    line, tickets = line_of(joins)
    for ticket in tickets:
        needed = tokens_until_due(line, ticket)
        assert tokens_until_due(poured(line, needed + 1e-3), ticket) == 0
        assert needed == 0 or tokens_until_due(poured(line, needed * 0.9), ticket) > 0


@given(st.integers(1, 500), st.integers(1, 500))
def test_a_crowd_of_one_tenant_moves_another_back_by_no_more_than_its_part(crowd: int, tokens: int) -> None:
    line, _ = line_of([(0, "noisy", 1000)] * crowd)
    _, ticket = joined(line, rank=0, tenant="quiet", tokens=tokens)
    line, ticket = joined(line, rank=0, tenant="quiet", tokens=tokens)

    assert tokens_until_due(line, ticket) <= 2 * tokens + 1e-3


@given(st.integers(1, 300))
def test_a_crowd_in_a_lower_lane_takes_no_more_than_its_floor_from_a_higher_one(crowd: int) -> None:
    line, _ = line_of([(2, "batch", 1000)] * crowd)
    line, ticket = joined(line, rank=0, tenant="user", tokens=500)

    assert tokens_until_due(line, ticket) <= 500 / (1 - FLOORS[2]) + 1e-3


@given(st.integers(1, 300))
def test_a_lower_lane_gets_its_floor_under_any_crowd_above_it(crowd: int) -> None:
    line, _ = line_of([(0, "user", 1000)] * crowd)
    line, ticket = joined(line, rank=1, tenant="other", tokens=100)

    assert tokens_until_due(line, ticket) <= 100 / FLOORS[1] + 1e-3


@given(JOINS, st.floats(0, 30_000), st.data())
def test_a_turn_that_found_no_budget_keeps_its_place_before_those_behind_it(
    joins: list[tuple[int, str, int]], tokens: float, data: st.DataObject
) -> None:
    line, tickets = line_of(joins)
    line = poured(line, tokens)
    due = [ticket for ticket in tickets if tokens_until_due(line, ticket) == 0]
    if not due:
        return
    ticket = data.draw(st.sampled_from(due))
    after = rewound(line, ticket, spent=data.draw(st.floats(0, line.poured)))
    behind = [other for other in tickets if (other.rank, other.key) == (ticket.rank, ticket.key)]

    for other in behind:
        if other.begin > ticket.begin:
            assert tokens_until_due(after, other) >= tokens_until_due(after, ticket)
    assert after.poured <= line.poured


def test_a_ticket_of_an_earlier_crowd_is_due_and_does_not_wait_behind_the_next_one() -> None:
    line, [ticket] = line_of([(0, "a", 100)])
    line = poured(line, 100)
    line, _ = joined(line, rank=0, tenant="a", tokens=5000)

    assert tokens_until_due(line, ticket) == 0


@settings(max_examples=20)
@given(st.integers(MAX_FLOWS, 300))
def test_the_line_stays_small_however_many_tenants_wait(tenants: int) -> None:
    line, _ = line_of([(0, f"tenant {number}", 10) for number in range(tenants)])

    assert len(line.flows) == MAX_FLOWS
    assert math.isclose(sum(flow.waiting for flow in line.flows), 10 * tenants)
