"""Runs timer functions when they are due."""

import asyncio
import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from azure.functions.meta import Datum

from local.host import settings as app_settings
from local.host.app.functions import TIMER, Function, converter
from local.host.app.invocation import NO_TRACE, Invoker
from local.host.errors import HostError
from local.host.timers.ncrontab import Schedule, parse
from local.host.timers.status import Status, after_run, at_start, is_monitored, trigger_value
from local.host.timers.store import TimerStore, folder_of

_logger = logging.getLogger(__name__)
LEASE_SECONDS = 2.0
# A wait is cut into pieces so that a clock that has been set is noticed.
_LONGEST_WAIT_SECONDS = 60.0


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> dt.datetime:
        """The present, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """The present, in UTC."""
        return dt.datetime.now(dt.UTC)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)


class TimerListener:
    """One timer function: one run at a time, in one of all processes.

    The next occurrence counts from the start of a run, so that a run that outlasts its interval is followed by another
    at once, and further occurrences in between are left out.
    """

    def __init__(
        self, function: Function, schedule: Schedule, store: TimerStore, invoker: Invoker, clock: Clock
    ) -> None:
        """Does not wait yet, see `start`."""
        self.function = function
        self.schedule = schedule
        self._store = store
        self._invoker = invoker
        self._clock = clock
        self._monitored = is_monitored(schedule, function.trigger.get("useMonitor"), clock.now())
        self._stopping = False
        self._working = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts to wait for the lease and then for the first occurrence."""
        self._task = asyncio.create_task(self.run())

    async def stop_receiving(self) -> None:
        """Starts no further run; the one in progress goes on."""
        self._stopping = True
        if self._task is not None and not self._working:
            self._task.cancel()

    async def drain(self) -> None:
        """Waits for the run in progress."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def cancel(self) -> None:
        """Cancels the run in progress."""
        if self._task is not None:
            self._task.cancel()
        await self.drain()

    async def run(self) -> None:
        """Keeps the schedule while this process holds the lease; waits for it else."""
        while not self._stopping:
            try:
                with self._store.lease() as held:
                    if held:
                        await self._keep_schedule()
                        return
            except OSError as error:
                _logger.error("Timer %s cannot keep its state: %s", self.function.name, error)  # noqa: TRY400  no bug
            await self._clock.sleep(LEASE_SECONDS)

    async def _keep_schedule(self) -> None:
        recorded = self._store.read() if self._monitored else None
        status, past_due = at_start(self.schedule, recorded, self._clock.now())
        self._remember(status)
        if past_due:
            _logger.info("Timer %s is past due and runs now.", self.function.name)
            status = await self._fire(status, past_due=True, on_time=False)
        elif self.function.trigger.get("runOnStartup"):
            status = await self._fire(status, past_due=False, on_time=False)
        while not self._stopping:
            await self._wait_until(status.next)
            status = await self._fire(status, past_due=False, on_time=True)

    async def _wait_until(self, due: dt.datetime) -> None:
        while (left_seconds := (due - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(left_seconds, _LONGEST_WAIT_SECONDS))

    async def _fire(self, status: Status, *, past_due: bool, on_time: bool) -> Status:
        started = self._clock.now()
        self._working = True
        try:
            await self._invoker.succeeds(
                self.function, request_for(status if self._monitored else None, past_due=past_due), NO_TRACE
            )
        finally:
            self._working = False
        status = after_run(self.schedule, status, started, on_time=on_time)
        self._remember(status)
        return status

    def _remember(self, status: Status) -> None:
        if self._monitored:
            self._store.write(status)


def request_for(status: Status | None, *, past_due: bool) -> object:
    """The azure.functions.TimerRequest of one run."""
    datum = Datum(type="json", value=trigger_value(status, past_due=past_due))
    request: object = converter(TIMER).decode(datum, trigger_metadata=None)
    return request


def listeners(
    functions: Iterable[Function],
    settings: Mapping[str, str],
    invoker: Invoker,
    *,
    data: Path,
    app: Path,
    clock: Clock,
) -> list[TimerListener]:
    """A listener for each timer function, not started yet.

    Raises:
        HostError: A schedule is not valid; names the function.
    """
    found = []
    for function in functions:
        if function.kind == TIMER:
            text = app_settings.expand(str(function.trigger["schedule"]), settings, function=function.name)
            try:
                schedule = parse(text)
            except ValueError as error:
                raise HostError(f'Function "{function.name}": the schedule "{text}" is not valid: {error}.') from error
            store = TimerStore(folder_of(data, app), function.name)
            found.append(TimerListener(function, schedule, store, invoker, clock))
    return found
