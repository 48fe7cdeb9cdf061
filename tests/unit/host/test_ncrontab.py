import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.timers.ncrontab import parse


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("*/5 * * * * *", "2026-11-23T10:00:03", "2026-11-23T10:00:05"),
        ("*/5 * * * * *", "2026-11-23T10:00:05", "2026-11-23T10:00:10"),
        ("*/5 * * * *", "2026-11-23T10:00:03", "2026-11-23T10:05:00"),
        ("0 */5 * * * *", "2026-11-23T10:58:03", "2026-11-23T11:00:00"),
        ("0 0 9-17 * * MON-FRI", "2026-11-20T17:30:00", "2026-11-23T09:00:00"),
        ("0 0 0 1 JAN,jul *", "2026-02-01T00:00:00", "2026-07-01T00:00:00"),
        ("0 0 0 * * Sunday", "2026-11-23T00:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-11-23T00:00:00", "2027-08-13T00:00:00"),
        ("0 0 0 29 2 *", "2026-11-23T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 29 2 1", "2026-11-23T00:00:00", "2044-02-29T00:00:00"),
        ("30 5/20 * * * *", "2026-11-23T10:05:30", "2026-11-23T10:25:30"),
        ("0 40-20/10 * * * *", "2026-11-23T10:00:00", "2026-11-23T10:20:00"),
        ("0 0,30 8 * * *", "2026-11-23T08:00:00.5", "2026-11-23T08:30:00"),
        ("59 59 23 31 12 *", "2026-12-31T23:59:59", "2027-12-31T23:59:59"),
    ],
)
def test_the_next_occurrence(expression: str, after: str, expected: str) -> None:
    assert parse(expression).after(utc(after)) == utc(expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("* * * *", "five or six fields"),
        ("* * * * * * *", "five or six fields"),
        ("", "five or six fields"),
        ("00:05:00", "time spans are not supported"),
        ("60 * * * * *", '"60" is no second; it goes from 0 to 59'),
        ("0 0 0 0 * *", '"0" is no day'),
        ("0 0 0 * 13 *", '"13" is no month'),
        ("0 0 0 * * 7", '"7" is no day of the week'),
        ("0 0 0 * * MO", "not a valid day of the week"),
        ("*/0 * * * * *", "at least 1"),
        ("1-2-3 * * * * *", "not a valid second"),
        ("*-5 * * * * *", "not a valid second"),
        ("1,,2 * * * * *", "not a valid second"),
        ("0 0 0 31 4 *", "never occurs"),
    ],
)
def test_an_expression_that_is_not_valid_is_refused(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(expression)


@given(
    st.sampled_from(["*/7 * * * * *", "0 */13 * * * *", "0 5,35 8-18/2 * * 1-5", "15 0 0 1,15 * *"]),
    st.integers(0, 20 * 365 * 86400).map(lambda seconds: utc("2020-01-01") + dt.timedelta(seconds=seconds + 0.5)),
)
def test_the_next_occurrence_is_the_first_second_that_fits(expression: str, after: dt.datetime) -> None:
    schedule = parse(expression)
    found = schedule.after(after)
    assert found > after

    def fits(time: dt.datetime) -> bool:
        return (
            time.second in schedule.seconds
            and time.minute in schedule.minutes
            and time.hour in schedule.hours
            and time.day in schedule.days
            and time.month in schedule.months
            and time.isoweekday() % 7 in schedule.weekdays
        )

    assert fits(found)
    second = after.replace(microsecond=0) + dt.timedelta(seconds=1)
    last = min(found, second + dt.timedelta(hours=1))
    while second < last:
        assert not fits(second)
        second += dt.timedelta(seconds=1)
