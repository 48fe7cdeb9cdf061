"""Asks every deployment that nobody has used of late, so that a broken one is known before users meet it."""

import asyncio
import uuid
from collections.abc import Sequence

from shared.evaluating.ports import MetricsStore
from shared.policies.classify import Cause, Outcome, classify
from shared.ports import ChatModel, Clock, ModelRefusal, ModelRequest
from shared.pulse.ports import OperatorSwitches
from shared.pulse.roll_up_turns import MINUTE_SECONDS, document_id, written_minute
from shared.settings import Deployment
from shared.telemetry.facts import CanaryEnded
from shared.telemetry.observer import Observer
from shared.turns import Message

QUESTION = (Message("user", "Answer with the word ready."),)
MOST_TOKENS = 16
"""Room for the answer; a model that spends it on thinking has answered too."""
MOST_SECONDS = 30.0


class Canary:
    """Makes calls of its own, outside of any turn: nobody is billed for them and no session has them."""

    def __init__(
        self,
        *,
        deployments: Sequence[Deployment],
        models: ChatModel,
        metrics: MetricsStore,
        switches: OperatorSwitches,
        clock: Clock,
        observer: Observer,
        quiet_seconds: float,
    ) -> None:
        """Takes what it works with; a deployment is quiet when it answered no turn for so long."""
        self._deployments = [deployment for deployment in deployments if deployment.kind == "chat"]
        self._models, self._metrics, self._switches, self._clock = models, metrics, switches, clock
        self._observer, self._quiet_seconds = observer, quiet_seconds

    async def fly(self) -> list[str]:
        """Asks all quiet deployments that operators have not taken out, and tells the observer; their names.

        Raises:
            Unavailable: The store does not answer.
        """
        busy = await self._busy()
        quiet = [
            deployment
            for deployment in self._deployments
            if deployment.name not in busy and not self._switches.drains(deployment.name)
        ]
        await asyncio.gather(*(self._ask(deployment) for deployment in quiet))
        return [deployment.name for deployment in quiet]

    async def _busy(self) -> set[str]:
        """The deployments that answered turns which the last roll-ups have."""
        last = int(self._clock.now() // MINUTE_SECONDS)
        minutes = range(last - max(1, round(self._quiet_seconds / MINUTE_SECONDS)), last + 1)
        documents = [await self._metrics.get(written_minute(minute)[:10], document_id(minute)) for minute in minutes]
        return {row["deployment"] for document in documents if document for row in document["rows"] if row["succeeded"]}

    async def _ask(self, deployment: Deployment) -> None:
        began = self._clock.monotonic()
        outcome, cause, first_token_at = Outcome.SUCCESS, None, None
        try:
            async with asyncio.timeout(MOST_SECONDS):
                first_token_at = await self._answered(deployment)
        except ModelRefusal as refusal:
            verdict = classify(
                status=refusal.status,
                code=refusal.code,
                message=refusal.message,
                headers=refusal.headers,
                configured_tokens_per_minute=deployment.tokens_per_minute,
            )
            outcome, cause = verdict.outcome, verdict.cause.value
        except TimeoutError:
            outcome, cause = Outcome.IGNORED, Cause.UNREACHABLE.value
        self._observer.tell(
            CanaryEnded(
                deployment=deployment.name,
                region=deployment.region,
                tier=deployment.tier.value,
                outcome=outcome.value,
                cause=cause,
                first_token_seconds=None if first_token_at is None else first_token_at - began,
            )
        )

    async def _answered(self, deployment: Deployment) -> float | None:
        """Reads a whole answer; when its first text came.

        Raises:
            ModelRefusal: There was none, or it broke off.
        """
        stream = await self._models.open(deployment, ModelRequest(f"canary-{uuid.uuid4().hex}", QUESTION, MOST_TOKENS))
        first, ended = None, False
        try:
            async for chunk in stream:
                if chunk.text and first is None:
                    first = self._clock.monotonic()
                ended = ended or chunk.finish_reason is not None
        finally:
            await stream.close()
        if not ended:
            raise ModelRefusal(0, None, "the stream ended without a finish reason", {})
        return first
