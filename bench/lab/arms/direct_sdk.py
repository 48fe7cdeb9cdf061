"""What most teams start with: one process, the `openai` SDK with its own retries, deployments taken in turn.

The SDK is as it comes: two retries that obey `retry-after-ms` and `retry-after` up to a minute, else back off. A
bounded number of calls is under way; the others wait in the process, first come, first served. What still fails is
lost, as it is for a program that does nothing more.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import openai
from openai import AsyncOpenAI

from bench.lab.arms.frame import Ask, Orders, main, messages
from bench.lab.record import Record
from bench.lab.schedule import Planned

MOST_CALLS = 64
"""Calls under way at a time; a turn holds its place while the SDK waits to retry."""


async def opened(orders: Orders) -> tuple[Ask, Callable[[], Awaitable[None]]]:
    """One client a deployment."""
    clients = [
        (entry["name"], AsyncOpenAI(base_url=f"{orders.url}/{entry['account']}/openai/v1", api_key=orders.model_key))
        for entry in orders.deployments
    ]
    turn_about = itertools.cycle(clients)
    places = asyncio.Semaphore(MOST_CALLS)

    async def ask(planned: Planned, made: Record) -> None:
        made.sent_at = made.accepted_at = time.time()
        async with places:
            deployment, client = next(turn_about)
            try:
                await _answer(client, deployment, planned, made)
            except openai.APIStatusError as fault:
                made.outcome = f"status_{fault.status_code}"

    async def _answer(client: AsyncOpenAI, deployment: str, planned: Planned, made: Record) -> None:
        stream = await client.chat.completions.create(
            model=deployment,
            messages=cast(Any, messages(orders, planned)),
            max_completion_tokens=orders.max_output_tokens,
            stream=True,
        )
        async for event in stream:
            text = (event.choices[0].delta.content or "") if event.choices else ""
            if text and made.first_token_at is None:
                made.first_token_at = time.time()
            made.text += text
        made.outcome, made.ended_at = "done", time.time()

    async def close() -> None:
        for _, client in clients:
            await client.close()

    return ask, close


if __name__ == "__main__":
    main(opened)
