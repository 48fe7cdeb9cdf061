"""The comparison of console and account: one that is right agrees, and every number that is wrong is found."""

from dataclasses import replace
from typing import Any

import pytest

from bench.console.compare import compared, number, percentile
from bench.console.page import Shown
from bench.lab.facts import Facts
from tests.unit.bench.accounts import Account

LANE = {"Lane": "standard", "Accepted": "2", "Refused": "1", "Answered": "2"}
NONE = {"Failed": "0", "Expired": "0", "Cancelled": "0"}
DEPLOYMENT = {"Deployment": "chat-0", "Calls": "3", "429s": "1", "Tokens": "200"}
MODEL = {"Tenant": "contoso", "Lane": "standard", "Answers": "2", "Input": "140", "Output": "60"}
WAITS = {
    "Lane": "standard",
    **{f"Wait p{level}, s": value for level, value in ((50, "10.1"), (95, "20"), (99, "20.3"))},
    **{f"First token p{level}, s": value for level, value in ((50, "10.2"), (95, "20.2"), (99, "20.2"))},
}
SHOWN = Shown(
    lanes=[LANE | NONE],
    deployments=[DEPLOYMENT],
    models=[MODEL],
    waits=[WAITS],
    tiles={"Answered turns": ("2", "of 2 that ended in this time"), "First token, p95": ("20.14 s", "from accept")},
    settled_s=12.0,
)


@pytest.fixture
def facts() -> Facts:
    """Two turns that waited 10 and 20 s; one was refused at first, and one call was answered 429."""
    account = Account()
    account.turn(0, start=10)
    account.turn(5, start=25, refused=[(429, 1004.0, 1.0)])
    account.call(9, number=0, status=429, outcome="quota_429")
    return account.facts()


def test_a_console_that_is_right_agrees_in_every_line(facts: Facts) -> None:
    rows = compared(SHOWN, facts)

    assert [row for row in rows if not row.agrees] == []
    assert len(rows) == 6 + 3 + 3 + 6 + 3


@pytest.mark.parametrize(
    ("part", "column", "wrong"),
    [
        ("lanes", "Accepted", "3"),
        ("lanes", "Refused", "0"),
        ("lanes", "Answered", "1"),
        ("lanes", "Expired", "1"),
        ("deployments", "Calls", "2"),
        ("deployments", "429s", "–"),
        ("deployments", "Tokens", "201"),
        ("models", "Input", "1,140"),
        ("models", "Output", "61"),
        ("waits", "Wait p50, s", "10.3"),
        ("waits", "First token p99, s", "19.7"),
        ("waits", "First token p95, s", "–"),
    ],
)
def test_a_number_that_is_wrong_is_found(facts: Facts, part: str, column: str, wrong: str) -> None:
    (row,) = getattr(SHOWN, part)
    shown = replace(SHOWN, **{part: [row | {column: wrong}]})

    assert [row.what for row in compared(shown, facts) if not row.agrees] == [column]


@pytest.mark.parametrize("part", ["lanes", "deployments", "models", "waits"])
def test_a_table_that_is_empty_does_not_agree(facts: Facts, part: str) -> None:
    empty: dict[str, Any] = {part: []}

    assert not all(row.agrees for row in compared(replace(SHOWN, **empty), facts))


def test_a_row_that_has_no_counterpart_does_not_agree(facts: Facts) -> None:
    ghost = replace(SHOWN, deployments=[DEPLOYMENT, {"Deployment": "ghost", "Calls": "1", "429s": "0", "Tokens": "0"}])

    assert [(row.what, row.of) for row in compared(ghost, facts) if not row.agrees] == [("Calls", "ghost")]


def test_numbers_and_percentiles_are_read_as_the_console_writes_them() -> None:
    assert (number("12,563"), number("–"), number(None), number("0.5")) == (12563.0, None, None, 0.5)
    assert (percentile([1, 2, 3, 4], 50), percentile([1, 2, 3, 4], 95), percentile([], 50)) == (2, 4, None)
