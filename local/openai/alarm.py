"""Wakes whoever waits at an exact time.

uvloop's timers are whole milliseconds, rounded to the nearest: a first token planned 20 ms after a call would come
after 19 or after 21, depending on what the call took before it began to wait, and whoever measures what a gateway adds
would measure that. Linux has a timer that is exact and readable like a socket. Source: timerfd_create(2).
"""

import asyncio
import contextlib
import ctypes
import heapq
import itertools
import os
import time
from collections.abc import Callable

_ABSOLUTE = 1
_CLOSE_ON_EXEC, _NON_BLOCKING = 0o2000000, 0o4000
_Setting = ctypes.c_long * 4
"""struct itimerspec: seconds and nanoseconds of the interval, then of the first expiration."""
_NANOSECONDS = 1_000_000_000


class Alarm:
    """Any number of waiters, one timer, which is set to the earliest of them. For one event loop."""

    def __init__(self) -> None:
        """Opens the timer when somebody waits."""
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._set: Callable[[float], None] | None = None
        self._next = float("inf")

    def at(self, deadline: float, waiter: "asyncio.Future[None]") -> None:
        """Wakes a waiter at a time in monotonic seconds, unless something else does before."""
        if self._set is None:
            self._set = _exact(self._ring) or _as_the_loop_does(self._ring)
        heapq.heappush(self._waiting, (deadline, next(self._numbers), waiter))
        if deadline < self._next:
            self._next = deadline
            self._set(deadline)

    def _ring(self) -> None:
        now = time.monotonic()
        # Who left needs no timer.
        while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][2].done()):
            wake(heapq.heappop(self._waiting)[2])
        self._next = self._waiting[0][0] if self._waiting else float("inf")
        if self._set is not None and self._waiting:
            self._set(self._next)


def wake(waiter: "asyncio.Future[None]") -> None:
    """Wakes a waiter, once."""
    if not waiter.done():
        waiter.set_result(None)


def _exact(ring: Callable[[], None]) -> Callable[[float], None] | None:
    """Sets the system's timer; None where there is none."""
    library = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    if library is None or not hasattr(library, "timerfd_create"):
        return None
    handle = library.timerfd_create(time.CLOCK_MONOTONIC, _CLOSE_ON_EXEC | _NON_BLOCKING)
    if handle < 0:
        return None

    def expired() -> None:
        with contextlib.suppress(BlockingIOError):
            # Set anew since it expired: it will expire again.
            os.read(handle, 8)
        ring()

    def set_to(deadline: float) -> None:
        seconds, nanoseconds = divmod(max(1, int(deadline * _NANOSECONDS)), _NANOSECONDS)
        setting = _Setting(0, 0, seconds, nanoseconds)
        if library.timerfd_settime(handle, _ABSOLUTE, ctypes.byref(setting), None) != 0:
            raise OSError(ctypes.get_errno(), "the timer cannot be set")

    asyncio.get_running_loop().add_reader(handle, expired)
    return set_to


def _as_the_loop_does(ring: Callable[[], None]) -> Callable[[float], None]:
    """Sets a timer of the event loop, which is no more exact than that."""
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []

    def set_to(deadline: float) -> None:
        while timers:
            timers.pop().cancel()
        timers.append(loop.call_later(max(0.0, deadline - time.monotonic()), ring))

    return set_to
