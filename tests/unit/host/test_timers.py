import asyncio
import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.host.app.functions import Function
from local.host.app.invocation import Invoker
from local.host.timers.listener import TimerListener
from local.host.timers.ncrontab import parse
from local.host.timers.status import Status, after_run, at_start, from_json, is_monitored
from local.host.timers.store import TimerStore

HOURLY = parse("0 0 * * * *")


def at(hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, 23, hour, minute, second, tzinfo=dt.UTC)


@dataclass
class FakeClock:
    """Time passes only in sleep."""

    time: dt.datetime
    sleeps: list[float] = field(default_factory=list)
    slept: asyncio.Condition = field(default_factory=asyncio.Condition)

    def now(self) -> dt.datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += dt.timedelta(seconds=seconds)
        async with self.slept:
            self.slept.notify_all()
        await asyncio.sleep(0)

    async def has_slept(self, times: int) -> None:
        async with self.slept:
            await self.slept.wait_for(lambda: len(self.sleeps) >= times)


def test_a_first_start_is_not_past_due() -> None:
    status, past_due = at_start(HOURLY, None, at(10, 30))
    assert (status, past_due) == (Status(None, at(11), at(10, 30)), False)


def test_an_occurrence_missed_while_away_is_past_due() -> None:
    recorded = Status(at(8), at(9), at(8))
    assert at_start(HOURLY, recorded, at(9, 0, 1)) == (recorded, True)
    assert at_start(HOURLY, recorded, at(8, 59)) == (recorded, False)


def test_an_occurrence_missed_before_the_first_run_is_past_due() -> None:
    recorded = Status(None, at(9), at(8, 30))
    assert at_start(HOURLY, recorded, at(9, 5)) == (recorded, True)


def test_a_changed_schedule_is_not_past_due() -> None:
    recorded = Status(at(8), at(8, 20), at(8))
    assert at_start(HOURLY, recorded, at(8, 30)) == (Status(None, at(9), at(8)), False)
    assert at_start(HOURLY, recorded, at(12, 30)) == (Status(None, at(13), at(12, 30)), False)


def test_a_timer_that_fires_a_moment_early_is_not_due_twice() -> None:
    status = Status(at(8), at(9), at(8))
    early = at(8, 59, 59)
    assert after_run(HOURLY, status, early, on_time=True).next == at(10)
    assert after_run(HOURLY, status, early, on_time=False).next == at(9)


def test_status_survives_writing_and_reading() -> None:
    status = Status(None, at(9), at(8))
    assert from_json(json.dumps(status.as_json())) == status
    for damaged in ("", "[]", "{}", '{"Last": 1, "Next": 2, "LastUpdated": 3}', '{"Last": "x"}'):
        with pytest.raises(ValueError, match=r".+"):
            from_json(damaged)


@pytest.mark.parametrize(
    ("expression", "wish", "monitored"),
    [
        ("* * * * * *", None, False),
        ("* * * * * *", True, False),
        ("0 * * * * *", None, True),
        ("0 * * * * *", False, False),
    ],
)
def test_state_is_kept_for_schedules_of_a_minute_or_more(expression: str, wish: bool | None, monitored: bool) -> None:
    assert is_monitored(parse(expression), wish, at(8)) is monitored


def make(call: Any, folder: Path, clock: FakeClock, expression: str = "0 0 * * * *", **trigger: Any) -> TimerListener:
    function = Function(
        name="tick", call=call, is_async=True, trigger={"type": "timerTrigger", "name": "timer", **trigger},
        parameter="timer", raw_body=None, wants_context=False, returns=False, directory="", raw_bindings=(),
    )  # fmt: skip
    return TimerListener(function, parse(expression), TimerStore(folder, "tick"), Invoker(), clock)


async def test_a_timer_keeps_its_schedule_and_remembers_it(tmp_path: Path) -> None:
    clock, runs = FakeClock(at(10, 30)), []

    async def tick(timer: Any) -> None:
        runs.append((clock.now(), timer.past_due))
        if len(runs) == 3:
            await listener.stop_receiving()

    listener = make(tick, tmp_path, clock)
    await listener.run()
    assert runs == [(at(11), False), (at(12), False), (at(13), False)]
    assert TimerStore(tmp_path, "tick").read() == Status(at(13), at(14), at(13))


async def test_a_run_that_outlasts_its_interval_is_followed_by_one_only(tmp_path: Path) -> None:
    clock, runs = FakeClock(at(10, 59)), []

    async def tick(timer: Any) -> None:
        runs.append((clock.now(), timer.past_due))
        if len(runs) == 1:
            await clock.sleep(2.5 * 3600)
        if len(runs) == 3:
            await listener.stop_receiving()

    listener = make(tick, tmp_path, clock)
    await listener.run()
    assert runs == [(at(11), False), (at(13, 30), False), (at(14), False)]


async def test_a_failing_run_does_not_end_the_schedule(tmp_path: Path) -> None:
    clock, runs = FakeClock(at(10, 30)), []

    async def tick(timer: Any) -> None:
        runs.append(clock.now())
        if len(runs) == 2:
            await listener.stop_receiving()
        raise RuntimeError("not this time")

    listener = make(tick, tmp_path, clock)
    await listener.run()
    assert runs == [at(11), at(12)]


async def test_a_past_due_timer_runs_at_once_and_says_so(tmp_path: Path) -> None:
    clock, runs = FakeClock(at(10, 30)), []
    TimerStore(tmp_path, "tick").write(Status(at(8), at(9), at(8)))

    async def tick(timer: Any) -> None:
        runs.append((clock.now(), timer.past_due, timer.schedule_status["Next"]))
        if len(runs) == 2:
            await listener.stop_receiving()

    listener = make(tick, tmp_path, clock)
    await listener.run()
    assert runs == [(at(10, 30), True, at(9).isoformat()), (at(11), False, at(11).isoformat())]


async def test_a_second_process_waits_until_the_lease_is_free(tmp_path: Path) -> None:
    clock, runs = FakeClock(at(10, 30)), []
    store = TimerStore(tmp_path, "tick")

    async def tick(timer: Any) -> None:
        runs.append(clock.now())
        await listener.stop_receiving()

    listener = make(tick, tmp_path, clock, runOnStartup=True)
    with store.lease() as held:
        assert held
        task = asyncio.create_task(listener.run())
        await clock.has_slept(3)
        assert runs == []
    await task
    assert len(runs) == 1


def test_damaged_state_is_ignored_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "tick.json").write_text("{")
    assert TimerStore(tmp_path, "tick").read() is None
    assert "The state of timer tick" in caplog.text
