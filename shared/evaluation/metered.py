"""A chat model with a price, a budget, a time limit and a few patient retries."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.evaluation.budget import Budget
from shared.evaluation.errors import JudgeError
from shared.evaluation.model import ChatModel, Completion, Message, Price

_MESSAGE_OVERHEAD_TOKENS = 8
_FIRST_PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class MeteredModel:
    """Wraps a `ChatModel`; its failures become `JudgeError`, its spending lands in the budget."""

    model: ChatModel
    price: Price = field(default_factory=Price)
    budget: Budget = field(default_factory=Budget)
    timeout_seconds: float = 60.0
    retries: int = 2
    max_pause_seconds: float = 30.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_output_tokens: int,
        response_format: Mapping[str, Any] | None,
    ) -> Completion:
        """Answer `messages`.

        Raises:
            BudgetExhaustedError: the call does not fit the budget.
            JudgeError: every try failed or stalled.
        """
        for attempt in range(self.retries + 1):
            try:
                return await self._call(messages, max_output_tokens, response_format)
            except _CallError as failure:
                if attempt == self.retries:
                    raise JudgeError(f"{failure} ({attempt + 1} tries)") from failure.__cause__
                await self.sleep(
                    min(failure.pause_seconds or _FIRST_PAUSE_SECONDS * 2**attempt, self.max_pause_seconds)
                )
        raise JudgeError("the judge was never called: retries must be 0 or more")

    async def _call(
        self, messages: Sequence[Message], max_output_tokens: int, response_format: Mapping[str, Any] | None
    ) -> Completion:
        worst_usd = self.price.cost_usd(_most_tokens(messages, response_format), max_output_tokens)
        self.budget.reserve(worst_usd)
        # A call that ends without usage may still be billed, so it is charged its worst case.
        cost_usd = worst_usd
        try:
            async with asyncio.timeout(self.timeout_seconds):
                completion = await self.model.complete(
                    messages, max_output_tokens=max_output_tokens, response_format=response_format
                )
            cost_usd = self.price.cost_usd(completion.input_tokens, completion.output_tokens)
        except TimeoutError as error:
            raise _CallError(f"the judge did not answer within {self.timeout_seconds:g} s") from error
        except Exception as error:
            if _was_refused(error):
                cost_usd = 0.0
            pause = getattr(error, "retry_after_seconds", None)
            raise _CallError(f"{type(error).__name__}: {error}", pause) from error
        finally:
            self.budget.settle(worst_usd, cost_usd)
        return completion


class _CallError(Exception):
    def __init__(self, message: str, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


def _was_refused(error: Exception) -> bool:
    """Whether the service refused the call at the door, which costs nothing."""
    return getattr(error, "status_code", None) == 429 or getattr(error, "retry_after_seconds", None) is not None


def _most_tokens(messages: Sequence[Message], response_format: Mapping[str, Any] | None) -> int:
    """An upper bound: no byte-level tokenizer makes more tokens than there are bytes."""
    text = sum(len(message["content"].encode()) + _MESSAGE_OVERHEAD_TOKENS for message in messages)
    return text + (len(json.dumps(response_format)) if response_format else 0)
