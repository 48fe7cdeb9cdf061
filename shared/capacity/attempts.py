"""From a prompt to the first token: one deployment after another until one answers or none is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.capacity.calls import Answering, Calls, Refused
from shared.capacity.capacity import Capacity, Want
from shared.errors import ContentFiltered, ModelRefused
from shared.policies.classify import Cause, Outcome, Verdict
from shared.policies.line import ticket_of
from shared.policies.retries import RetryBudget
from shared.ports import ChatModel, Clock, ModelRefusal, ModelRequest
from shared.telemetry.observer import SILENT, Observer
from shared.turns import Message, Turn

PATIENCE_SECONDS = 2.0
"""How long a worker waits for budget before it lets the turn sleep: a moment, because a slot that waits is paid for."""
SHORTEST_WAIT_SECONDS = 0.02
NO_RETRY_SECONDS = 2.0
"""How long a turn sleeps that may not try the next deployment because the retry budget is used up."""


@dataclass(slots=True)
class NoneLeft(Exception):
    """No deployment can take the call now.

    Attributes:
        wait_seconds: Until one is expected to take it; infinity when unknown.
        faulted: The last thing met was a fault rather than a want of capacity.
        attempts: What was tried.
        want: What was wanted.
    """

    wait_seconds: float
    faulted: bool
    attempts: list[dict[str, Any]]
    want: Want | None = None


class Attempts:
    """Makes attempts and tells the capacity what became of them."""

    def __init__(self, *, models: ChatModel, capacity: Capacity, clock: Clock, observer: Observer = SILENT) -> None:
        """Takes what it works with."""
        self._capacity, self._clock = capacity, clock
        self._calls = Calls(models=models, capacity=capacity, clock=clock, observer=observer)
        self._retries = RetryBudget()

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
        want = Want(
            model,
            turn.lane,
            turn.tenant,
            prompt_tokens + max_output_tokens,
            owner=turn.turn_id,
            ticket=ticket_of(turn.ticket),
            due_at=turn.created_at,
        )
        attempts: list[dict[str, Any]] = []
        while True:
            tried = frozenset(entry["deployment"] for entry in attempts)
            name = await self.acquire(want, attempts, tried)
            try:
                answering = await self._calls.first_token(turn, request, want, name, attempts)
            except Refused as refused:
                _end_or_go_on(refused)
            else:
                self._retries = self._retries.succeeded()
                return answering

    async def acquire(self, want: Want, attempts: list[dict[str, Any]], tried: frozenset[str]) -> str:
        """The deployment that takes the call; waits for moments, in the order in which the turns came.

        Raises:
            NoneLeft: None has budget within moments, or others wait, or there were enough retries.
        """
        if attempts:
            if not self._retries.allows:
                wait = max(self._capacity.outlook(want).wait_seconds, NO_RETRY_SECONDS)
                raise NoneLeft(wait, _faulted(attempts), attempts, want)
            self._retries = self._retries.retried()
        elif self._capacity.behind_others(want):
            raise NoneLeft(0.0, False, attempts, want)
        until = self._clock.monotonic() + (0.0 if attempts else PATIENCE_SECONDS)
        while True:
            if not attempts and (wait := await self._capacity.reached(want, until=until)) > 0:
                raise NoneLeft(wait, False, attempts, want)
            choice = await self._capacity.acquire(want, tried=tried)
            if choice.name is not None:
                return choice.name
            if self._clock.monotonic() + choice.wait_seconds > until:
                self._capacity.claim(want)
                raise NoneLeft(choice.wait_seconds, _faulted(attempts), attempts, want)
            await self._capacity.denied(want)
            await self._clock.sleep(max(SHORTEST_WAIT_SECONDS, choice.wait_seconds))

    def learn(self, answering: Answering, refusal: ModelRefusal) -> Verdict:
        """Classifies why an answer broke off after its first token, and tells the capacity."""
        return self._calls.learn(answering, refusal)


def _end_or_go_on(refused: Refused) -> None:
    """Raises when no other deployment can do better."""
    if refused.verdict.cause is Cause.CONTENT_FILTER:
        raise ContentFiltered from refused.refusal
    if not refused.verdict.retryable:
        raise ModelRefused(f"The model deployment refused the request: {refused.refusal.message}") from refused.refusal


def _faulted(attempts: list[dict[str, Any]]) -> bool:
    return bool(attempts) and attempts[-1]["outcome"] == Outcome.IGNORED.value
