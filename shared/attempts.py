"""From a prompt to the first token: one deployment after another until one answers or none is left."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.capacity import Capacity
from shared.errors import ContentFiltered, ModelRefused
from shared.policies.classify import Cause, Outcome, Verdict, classify
from shared.ports import ChatModel, Chunk, Clock, ModelRefusal, ModelRequest, ModelStream
from shared.settings import Deployment
from shared.telemetry.attempt_watch import AttemptWatch
from shared.telemetry.observer import SILENT, Observer
from shared.turns import Message, Turn

SHORT_SECONDS = 1.0
"""A shorter line is not worth standing in."""


@dataclass(slots=True)
class NoneLeft(Exception):
    """No deployment can take the call now.

    Attributes:
        wait_seconds: Until one is expected to; infinity when unknown.
        lined_up: The wait is a place in the line of all that wait, so it needs no spreading.
        faulted: The last thing met was a fault rather than a want of capacity.
        attempts: What was tried.
    """

    wait_seconds: float
    faulted: bool
    attempts: list[dict[str, Any]]
    lined_up: bool = False


@dataclass(slots=True)
class Answering:
    """A deployment that has begun to answer."""

    deployment: Deployment
    stream: ModelStream
    chunks: AsyncIterator[Chunk]
    first: Chunk
    watch: AttemptWatch
    attempts: list[dict[str, Any]] = field(default_factory=list)


class Attempts:
    """Makes attempts and tells the capacity what became of them."""

    def __init__(self, *, models: ChatModel, capacity: Capacity, clock: Clock, observer: Observer = SILENT) -> None:
        """Takes what it works with."""
        self._models, self._capacity, self._clock, self._observer = models, capacity, clock, observer

    async def first_token(
        self, turn: Turn, messages: Sequence[Message], *, model: str, prompt_tokens: int, max_output_tokens: int
    ) -> Answering:
        """Tries deployments until one gives a first piece of text.

        Raises:
            NoneLeft: All are cooling, out of budget or failed.
            ContentFiltered: The service's filter refused the prompt.
            ModelRefused: The service does not accept the request.
        """
        request = ModelRequest(turn.turn_id, messages, max_output_tokens, turn.parameters)
        attempts: list[dict[str, Any]] = []
        tried: frozenset[str] = frozenset()
        tokens = prompt_tokens + max_output_tokens
        if turn.copies == 0 and turn.path != "direct" and self._capacity.line_seconds(model) > SHORT_SECONDS:
            raise await self._line_up(model, tokens, SHORT_SECONDS, attempts)
        while True:
            choice = await self._capacity.acquire(model, tokens=tokens, tried=tried)
            if choice.name is None:
                if attempts and attempts[-1]["outcome"] == Outcome.IGNORED.value:
                    raise NoneLeft(choice.wait_seconds, faulted=True, attempts=attempts)
                # Whoever had a place already and woke a moment early keeps it.
                if turn.copies > 0 and choice.wait_seconds < SHORT_SECONDS:
                    raise NoneLeft(choice.wait_seconds, faulted=False, attempts=attempts, lined_up=True)
                raise await self._line_up(model, tokens, choice.wait_seconds, attempts)
            tried |= {choice.name}
            began = self._clock.monotonic()
            deployment = self._capacity.deployment(choice.name)
            watch = AttemptWatch(self._observer, self._clock, turn, deployment, max_output_tokens)
            try:
                return await self._attempt(deployment, request, attempts, watch)
            except ModelRefusal as refusal:
                self._refused(deployment, refusal, attempts, watch, began=began)
            except BaseException:
                watch.leave()
                raise

    async def _line_up(
        self, model: str, tokens: float, wait_seconds: float, attempts: list[dict[str, Any]]
    ) -> NoneLeft:
        if math.isinf(wait_seconds):
            return NoneLeft(wait_seconds, faulted=False, attempts=attempts)
        wait = await self._capacity.line_up(model, tokens=tokens, wait_seconds=wait_seconds)
        return NoneLeft(wait, faulted=False, attempts=attempts, lined_up=True)

    async def _attempt(
        self, deployment: Deployment, request: ModelRequest, attempts: list[dict[str, Any]], watch: AttemptWatch
    ) -> Answering:
        began = self._clock.monotonic()
        stream = await self._models.open(deployment, request)
        watch.open()
        chunks = aiter(stream)
        try:
            first = await anext(chunks, Chunk(finish_reason="stop"))
            while not first.text and first.finish_reason is None:
                first = await anext(chunks, Chunk(finish_reason="stop"))
        except BaseException:
            await stream.close()
            raise
        if first.text:
            watch.piece()
        seconds = self._clock.monotonic() - began
        self._capacity.first_token(deployment.name, seconds)
        attempts.append(_entry(deployment, Outcome.SUCCESS.value, seconds))
        return Answering(deployment, stream, chunks, first, watch, attempts)

    def _refused(
        self,
        deployment: Deployment,
        refusal: ModelRefusal,
        attempts: list[dict[str, Any]],
        watch: AttemptWatch,
        *,
        began: float,
    ) -> None:
        verdict = self.learn(deployment, refusal)
        watch.refuse(refusal, verdict)
        seconds = self._clock.monotonic() - began
        attempts.append(
            _entry(deployment, verdict.outcome.value, seconds)
            | {"cause": verdict.cause.value, "status": refusal.status}
        )
        if verdict.cause is Cause.CONTENT_FILTER:
            raise ContentFiltered from refusal
        if not verdict.retryable:
            raise ModelRefused(f"The model deployment refused the request: {refusal.message}") from refusal

    def learn(self, deployment: Deployment, refusal: ModelRefusal) -> Verdict:
        """Classifies a refusal and tells the capacity."""
        verdict = classify(
            status=refusal.status,
            code=refusal.code,
            message=refusal.message,
            headers=refusal.headers,
            configured_tokens_per_minute=deployment.tokens_per_minute,
        )
        self._capacity.refused(deployment.name, verdict)
        return verdict


def _entry(deployment: Deployment, outcome: str, seconds: float) -> dict[str, Any]:
    return {
        "deployment": deployment.name,
        "region": deployment.region,
        "outcome": outcome,
        "duration_ms": round(seconds * 1000, 1),
    }
