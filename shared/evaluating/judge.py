"""The judge: a chat deployment of this installation, called through the same capacity as the turns."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from shared.capacity.attempts import Attempts, NoneLeft
from shared.capacity.calls import Answering
from shared.context.prompt import prompt_tokens
from shared.errors import SpillwayError
from shared.evaluation.model import Completion, Message
from shared.ports import Chunk, Clock, ModelRefusal, TokenCounter
from shared.turns import Lane, Turn, Usage
from shared.turns import Message as TurnMessage

BUSY_SECONDS = 5.0
LEAST_BUSY_SECONDS, MOST_BUSY_SECONDS = 0.5, 300.0
CALL_SECONDS = 120.0


class JudgeBusy(Exception):
    """No deployment of the judge can take the call now. The item is judged later."""

    def __init__(self, retry_after_seconds: float) -> None:
        """Notes when trying again makes sense, counted from now."""
        super().__init__("no deployment of the judge can take the call now")
        self.retry_after_seconds = retry_after_seconds


class JudgeFailed(Exception):
    """The judge's deployment refused the call or broke off its answer."""


class CapacityJudge:
    """A chat model for evaluators. One object judges one answer and remembers what hindered it."""

    def __init__(
        self, *, attempts: Attempts, counter: TokenCounter, clock: Clock, model: str, subject: str, tenant: str
    ) -> None:
        """Takes what it works with.

        Args:
            attempts: Makes calls within the capacity of the deployments.
            counter: Counts tokens.
            clock: Time.
            model: The model name that judges.
            subject: Id of the turn whose answer is judged; sent along as the client's request id.
            tenant: Whose answer it is.
        """
        self._attempts, self._counter, self._clock = attempts, counter, clock
        self._model, self._subject, self._tenant = model, subject, tenant
        self.busy_seconds: float | None = None
        """How long to wait when a call found no deployment that answers; None when all calls did."""

    async def complete(
        self, messages: Sequence[Message], *, max_output_tokens: int, response_format: Mapping[str, Any] | None
    ) -> Completion:
        """See `shared.evaluation.model.ChatModel`.

        Raises:
            JudgeBusy: All deployments are cooling or out of budget.
            JudgeFailed: The call was refused, or the answer broke off.
        """
        answering = await self._open(messages, max_output_tokens, response_format)
        try:
            return await _read(answering)
        except ModelRefusal as refusal:
            answering.watch.refuse(refusal, self._attempts.learn(answering, refusal))
            raise JudgeFailed(f"the answer broke off: {refusal.message}") from refusal
        finally:
            answering.watch.leave()
            await answering.stream.close()

    async def _open(
        self, messages: Sequence[Message], max_output_tokens: int, response_format: Mapping[str, Any] | None
    ) -> Answering:
        prompt = [TurnMessage(message["role"], message["content"]) for message in messages]
        parameters = {"temperature": 0, **({"response_format": response_format} if response_format else {})}
        try:
            return await self._attempts.first_token(
                self._turn(prompt, parameters),
                prompt,
                model=self._model,
                prompt_tokens=prompt_tokens(prompt, self._counter),
                max_output_tokens=max_output_tokens,
            )
        except NoneLeft as none_left:
            wait = none_left.wait_seconds if math.isfinite(none_left.wait_seconds) else BUSY_SECONDS
            self.busy_seconds = min(max(wait, LEAST_BUSY_SECONDS), MOST_BUSY_SECONDS)
            if none_left.faulted:
                raise JudgeFailed(f"no deployment answered: {_causes(none_left)}") from none_left
            raise JudgeBusy(self.busy_seconds) from none_left
        except SpillwayError as error:
            raise JudgeFailed(error.message) from error

    def _turn(self, prompt: Sequence[TurnMessage], parameters: Mapping[str, Any]) -> Turn:
        """The call in the words of the capacity: lowest lane, so that users come first."""
        now = self._clock.now()
        return Turn(
            turn_id=self._subject,
            tenant=self._tenant,
            session_id="",
            lane=Lane.BATCH,
            messages=tuple(prompt),
            created_at=now,
            deadline_at=now + CALL_SECONDS,
            parameters=dict(parameters),
            use_context=False,
        )


async def _read(answering: Answering) -> Completion:
    parts: list[str] = []
    usage, finish_reason = Usage(), None
    chunk: Chunk | None = answering.first
    while chunk is not None:
        parts.append(chunk.text)
        usage, finish_reason = chunk.usage or usage, chunk.finish_reason or finish_reason
        chunk = await anext(answering.chunks, None)
    if finish_reason is None:
        raise ModelRefusal(0, None, "the stream ended without a finish reason", {})
    answering.watch.end(finish_reason, usage, answering.stream.headers)
    return Completion("".join(parts), usage.input_tokens, usage.output_tokens)


def _causes(none_left: NoneLeft) -> str:
    return ", ".join(f"{attempt['deployment']} {attempt.get('cause', '')}" for attempt in none_left.attempts)
