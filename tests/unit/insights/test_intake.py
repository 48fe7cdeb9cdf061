"""Bodies are read within their limits, and the shared budget is given back whatever happens."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from local.insights.errors import IntakeError
from local.insights.intake import BodyBudget


async def _stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _endless() -> AsyncIterator[bytes]:
    yield b"x"
    await asyncio.Event().wait()


async def _status(budget: BodyBudget, stream: AsyncIterator[bytes], *, limit_bytes: int = 100) -> int:
    with pytest.raises(IntakeError) as refused:
        async with budget.reading(stream, limit_bytes=limit_bytes, seconds_max=0.01):
            pytest.fail("the body was taken")
    return refused.value.status


async def test_a_refused_body_gives_its_bytes_back() -> None:
    budget = BodyBudget(10)

    assert await _status(budget, _stream(b"x" * 6), limit_bytes=5) == 413
    assert await _status(budget, _stream(b"x" * 6, b"x" * 6)) == 503
    assert await _status(budget, _endless()) == 408

    async with budget.reading(_stream(b"x" * 10), limit_bytes=100, seconds_max=1) as body:
        assert body == b"x" * 10


async def test_bodies_read_at_the_same_time_share_the_budget() -> None:
    budget = BodyBudget(10)

    async with budget.reading(_stream(b"x" * 6), limit_bytes=100, seconds_max=1):
        assert await _status(budget, _stream(b"x" * 6)) == 503
    async with budget.reading(_stream(b"x" * 6), limit_bytes=100, seconds_max=1) as body:
        assert len(body) == 6
