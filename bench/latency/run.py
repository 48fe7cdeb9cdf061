"""Carries a plan out."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from openai import AsyncOpenAI

from bench.latency.call import Sample, measure
from bench.latency.plan import Plan, Target
from bench.latency.prompts import prompt

Progress = Callable[[int, int], None]


async def run(plan: Plan, progress: Progress = lambda _done, _of: None) -> list[Sample]:
    """All samples of a plan, without those of the warm-up, in the order in which the calls were made."""
    order = list(plan.order())
    draw = random.Random(f"{plan.seed}:prompts")
    free = asyncio.Semaphore(plan.concurrency)
    samples: list[Sample] = []
    pause = 60 / plan.requests_per_minute if plan.requests_per_minute else None
    async with AsyncExitStack() as stack:
        clients = {target.name: await _client(target, plan, stack) for target in plan.targets}
        deployments = {target.name: target.deployment for target in plan.targets}

        async def one(number: int, cell: Any, content: str, intended: float) -> None:
            try:
                late = max(0.0, time.perf_counter() - intended) if pause else 0.0
                sample = await measure(
                    clients[cell.target], deployments[cell.target], cell, number, content, late_seconds=late
                )
                if number >= 0:
                    samples.append(sample)
                progress(len(samples), plan.rounds * len(plan.cells))
            finally:
                free.release()

        began = time.perf_counter()
        async with asyncio.TaskGroup() as calls:
            for index, (number, cell) in enumerate(order):
                intended = began + index * (pause or 0.0)
                await asyncio.sleep(max(0.0, intended - time.perf_counter()) if pause else 0)
                await free.acquire()
                content = prompt(cell.prompt_tokens, draw, same_prefix=plan.same_prefix)
                calls.create_task(one(number, cell, content, intended))
    return samples


async def _client(target: Target, plan: Plan, stack: AsyncExitStack) -> AsyncOpenAI:
    key: Any = target.key()
    if key is None:
        from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider  # noqa: PLC0415

        credential = await stack.enter_async_context(DefaultAzureCredential())
        key = get_bearer_token_provider(credential, target.scope)
        await key()  # the first call must not pay for the token
    http = httpx2.AsyncClient(timeout=httpx2.Timeout(plan.timeout_seconds, connect=10))
    await stack.enter_async_context(http)
    return AsyncOpenAI(base_url=target.endpoint, api_key=key, max_retries=0, http_client=http)
