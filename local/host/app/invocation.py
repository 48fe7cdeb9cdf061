"""Runs a function once: on the event loop or on a thread, within its trace, counted and logged."""

import asyncio
import logging
import os
import re
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from local.host.app.context import Context, TraceContext
from local.host.app.functions import HTTP, Function
from local.host.app.telemetry import Telemetry, configured

logger = logging.getLogger(__name__)
# What Python itself gives a pool at most.
_HIGHEST_DEFAULT = 32


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an invocation comes from: the W3C headers of its request or message, empty when it had none."""

    parent: str = ""
    state: str = ""


NO_TRACE = Trace()


@dataclass(slots=True)
class Invoker:
    """Runs functions and knows how many are running.

    Attributes:
        timeout_seconds: `functionTimeout`; a function that takes longer is cancelled and has failed.
        running: Invocations in progress.
        telemetry: Surrounds every invocation, as the worker's trace context does.
    """

    timeout_seconds: float | None = None
    running: int = 0
    telemetry: Telemetry = field(default_factory=configured)
    _work: set[Future[Any]] = field(default_factory=set)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(thread_count(), "function"))

    async def call(self, function: Function, argument: Any, trace: Trace, invocation_id: str) -> Any:
        """Runs a function and returns what it returns.

        Args:
            function: What to run.
            argument: The trigger's value.
            trace: Where it comes from.
            invocation_id: A UUID, see `new_id`.

        Raises:
            Exception: Whatever the function raises; a TimeoutError past `functionTimeout`.
        """
        self.running += 1
        try:
            result = await self._within(function, argument, trace, invocation_id)
        finally:
            self.running -= 1
        if result is not None and not function.returns:
            raise RuntimeError(f'function "{function.name}" without a $return binding returned a non-None value')
        return result

    async def _within(self, function: Function, argument: Any, trace: Trace, invocation_id: str) -> Any:
        """Runs a function inside what has to surround an invocation."""
        if function.kind == HTTP:
            return await self.telemetry.request(
                function, argument, trace, lambda here: self._run(function, argument, here, invocation_id)
            )
        with self.telemetry.invocation(function, trace, invocation_id) as here:
            return await self._run(function, argument, here, invocation_id)

    async def _run(self, function: Function, argument: Any, trace: Trace, invocation_id: str) -> Any:
        arguments = {function.parameter: argument}
        context = Context(function.name, function.directory, invocation_id, TraceContext(trace.parent, trace.state))
        if function.wants_context:
            arguments["context"] = context
        async with asyncio.timeout(self.timeout_seconds):
            if function.is_async:
                return await function.call(**arguments)
            return await self._on_thread(function, arguments, context)

    async def succeeds(self, function: Function, argument: Any, trace: Trace) -> bool:
        """Runs a function that answers nobody; logs a failure and returns whether there was none."""
        invocation_id, started = new_id(), time.perf_counter()
        try:
            await self.call(function, argument, trace, invocation_id)
        except Exception as error:  # noqa: BLE001  any error of the app is a failed invocation, not one of the host
            log_failure(function, invocation_id, started, error)
            return False
        log_success(function, invocation_id, started)
        return True

    async def _on_thread(self, function: Function, arguments: dict[str, Any], context: Context) -> Any:
        def run() -> Any:
            storage = context.thread_local_storage
            storage.invocation_id = context.invocation_id
            try:
                return function.call(**arguments)
            finally:
                storage.invocation_id = None

        work = self._threads.submit(run)
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        return await asyncio.wrap_future(work)

    @property
    def busy_threads(self) -> int:
        """Threads that run a function, also one that has been given up."""
        return len(self._work)

    def close(self) -> None:
        """Lets the threads go without waiting for what still runs on them, and sends the telemetry so far."""
        self.telemetry.flush()
        self._threads.shutdown(wait=False, cancel_futures=True)


def new_id() -> str:
    """A fresh invocation id."""
    return str(uuid.uuid4())


def thread_count() -> int:
    """Threads for `def` functions: `PYTHON_THREADPOOL_THREAD_COUNT`, else Python's default, as in the worker."""
    configured = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    default = min(_HIGHEST_DEFAULT, (os.cpu_count() or 1) + 4)
    if not configured:
        return default
    if re.fullmatch(r"[1-9]\d{0,4}", configured):
        return int(configured)
    logger.warning("PYTHON_THREADPOOL_THREAD_COUNT must be a number of at least 1; %s is used.", default)
    return default


def log_failure(function: Function, invocation_id: str, started: float, error: BaseException) -> None:
    """One line for a failed invocation, followed by its traceback."""
    logger.error(
        "Executed 'Functions.%s' (Failed, Id=%s, Duration=%.0fms)",
        function.name,
        invocation_id,
        (time.perf_counter() - started) * 1000,
        exc_info=error,
    )


def log_success(function: Function, invocation_id: str, started: float) -> None:
    """One line for an invocation that succeeded, seen with --verbose only."""
    logger.debug(
        "Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%.0fms)",
        function.name,
        invocation_id,
        (time.perf_counter() - started) * 1000,
    )
