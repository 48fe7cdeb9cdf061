"""LiteLLM's Router as its documentation sets it up for several deployments, with its priority queue.

From docs.litellm.ai: one `model_name` over all deployments with `tpm` and `rpm` of each; `simple-shuffle`, which it
recommends; `num_retries=3`, its example; the default cooldown; the priority of a request is its lane (1, 2, 3), which
puts it into the queue (0 it sends on to the model in 1.106, which refuses it as unknown). The timeout is that of a
caller who waits, so that a queued request is not given up early.
`enable_pre_call_checks` and `enforce_model_rate_limits` are left out, because with them it answered fewer turns of the
surge: they refuse in the process instead of waiting.
"""

import os
import time
from collections.abc import Awaitable, Callable

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from litellm import Router

from bench.lab.arms.frame import Ask, Orders, main, messages
from bench.lab.record import Record
from bench.lab.schedule import Planned

PRIORITY = {"interactive": 1, "standard": 2, "batch": 3}
API_VERSION = "2024-10-21"


def router(orders: Orders) -> Router:
    """All deployments under the model's name."""
    return Router(
        model_list=[
            {
                "model_name": orders.model,
                "litellm_params": {
                    "model": f"azure/{entry['name']}",
                    "api_base": f"{orders.url}/{entry['account']}",
                    "api_key": orders.model_key,
                    "api_version": API_VERSION,
                    "tpm": entry["tokens_per_minute"],
                    "rpm": entry["requests_per_minute"],
                },
                "model_info": {"base_model": f"azure/{orders.model}"},
            }
            for entry in orders.deployments
        ],
        routing_strategy="simple-shuffle",
        num_retries=3,
        timeout=orders.patience_seconds,
        polling_interval=0.03,
    )


async def opened(orders: Orders) -> tuple[Ask, Callable[[], Awaitable[None]]]:
    """One router for all."""
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    routing = router(orders)

    async def ask(planned: Planned, made: Record) -> None:
        made.sent_at = made.accepted_at = time.time()
        stream = await routing.acompletion(
            model=orders.model,
            messages=messages(orders, planned),
            max_tokens=orders.max_output_tokens,
            stream=True,
            priority=PRIORITY[planned.lane],
        )
        async for event in stream:
            text = (event.choices[0].delta.content or "") if event.choices else ""
            if text and made.first_token_at is None:
                made.first_token_at = time.time()
            made.text += text
        made.outcome, made.ended_at = "done", time.time()

    async def close() -> None:
        """The process ends here; the router has nothing to hand back."""

    return ask, close


if __name__ == "__main__":
    main(opened)
