import asyncio
import os
import threading
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from local.host.app.functions import Function
from local.host.app.invocation import NO_TRACE, Invoker, Trace, thread_count
from local.host.web.endpoint import BODY_LIMIT_BYTES, bounded


def function(call: Any, *, wants_context: bool = False, returns: bool = False) -> Function:
    return Function(
        name="f", call=call, is_async=asyncio.iscoroutinefunction(call), trigger={"type": "serviceBusTrigger"},
        parameter="value", raw_body=None, wants_context=wants_context, returns=returns, directory="/app",
        raw_bindings=(),
    )  # fmt: skip


async def test_a_function_gets_its_value_and_its_context() -> None:
    async def call(value: int, context: Any) -> tuple[Any, ...]:
        trace = context.trace_context
        return value, context.invocation_id, context.function_name, trace.trace_parent, trace.trace_state

    given = function(call, wants_context=True, returns=True)
    assert await Invoker().call(given, 7, Trace("parent", "state"), "id") == (7, "id", "f", "parent", "state")


async def test_a_plain_function_runs_on_a_thread_that_knows_its_invocation() -> None:
    def call(value: int, context: Any) -> tuple[int, str]:
        return threading.get_ident(), context.thread_local_storage.invocation_id

    invoker = Invoker()
    thread, invocation_id = await invoker.call(function(call, wants_context=True, returns=True), 1, NO_TRACE, "id")
    assert (thread != threading.get_ident(), invocation_id) == (True, "id")
    invoker.close()


async def test_a_value_from_a_function_without_a_return_binding_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def call(value: int) -> int:
        return value

    assert await Invoker().succeeds(function(call), 1, NO_TRACE) is False
    assert "without a $return binding returned a non-None value" in caplog.text


async def test_a_function_that_outlasts_the_timeout_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def call(value: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("finally")

    assert await Invoker(timeout_seconds=0.01).succeeds(function(call), 1, NO_TRACE) is False
    assert ended == ["finally"]
    assert "TimeoutError" in caplog.text


async def test_running_invocations_are_counted() -> None:
    gate, invoker = asyncio.Event(), Invoker()

    async def call(value: int) -> None:
        await gate.wait()

    tasks = [asyncio.create_task(invoker.succeeds(function(call), 1, NO_TRACE)) for _ in range(3)]
    await asyncio.sleep(0)
    assert invoker.running == 3
    gate.set()
    assert await asyncio.gather(*tasks) == [True] * 3
    assert invoker.running == 0


def test_the_number_of_threads_is_that_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_THREADPOOL_THREAD_COUNT", raising=False)
    assert thread_count() == min(32, (os.cpu_count() or 1) + 4)
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "3")
    assert thread_count() == 3
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "many")
    assert thread_count() == min(32, (os.cpu_count() or 1) + 4)


async def test_a_chunked_body_beyond_the_limit_is_refused() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * (BODY_LIMIT_BYTES // 4), "more_body": True}

    counted = bounded(receive)
    for _ in range(4):
        await counted()
    with pytest.raises(HTTPException, match="413"):
        await counted()
