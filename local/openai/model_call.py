"""The life of one call to a model: authorised, resolved, admitted, answered, accounted for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from local.openai import headers
from local.openai.auth import authorise
from local.openai.calls import Call
from local.openai.chunks import VIOLENT_PROMPT
from local.openai.errors import (
    ServiceError,
    bad_request,
    filtered_prompt,
    server_error,
    unavailable,
    unparseable,
    wrong_operation,
)
from local.openai.exchange import ClientGone, Exchange
from local.openai.faults import REFUSALS, Effects
from local.openai.quota.decision import Standing
from local.openai.routes import OPERATION_NAMES, Route
from local.openai.service import Quota, Running, Service
from local.openai.throttle import Refusing, forced, turned_away

_MODEL_OPERATIONS = {"chat": "chatCompletion", "embeddings": "embeddings"}


class ModelCall:
    """One call on its way through the service.

    Attributes:
        call: Its line in the account.
        running: The deployment, once it is known.
        effects: What the faults do to it.
    """

    def __init__(self, service: Service, exchange: Exchange, route: Route) -> None:
        self.service = service
        self.exchange = exchange
        self.route = route
        self.client_request_id = exchange.headers.get(b"x-ms-client-request-id", b"")[:128]
        self.call = Call(arrived=time.monotonic(), client_request_id=self.client_request_id)
        self.call.deployment = f"{route.account or ''}/{(route.deployment or '')[:64]}"
        self.running: Running | None = None
        self.effects = Effects()
        self._ledger = service.ledger
        self._tally = service.unrouted
        self._quota: Quota | None = None

    async def run(self, respond: "Responder") -> None:
        """Carries the call through; `respond` validates the document, calls `admit` and sends the answer."""
        try:
            document = await self._open()
            await respond(self, document)
        except ServiceError as error:
            self.call.outcome = error.outcome
            await self._fail(error)
        except ClientGone:
            self.call.outcome = "client_closed"
            self.call.status = self.call.status if self.exchange.started else 0
        except asyncio.CancelledError:
            self.call.outcome = "stopped"
            raise
        except Exception:
            self.call.outcome, self.call.status = "internal_error", 500
            raise
        finally:
            self._close()

    @property
    def deployment_running(self) -> Running:
        """The deployment of a call that is past its opening."""
        if self.running is None:
            raise RuntimeError("the deployment of this call is not known yet")
        return self.running

    def due(self, offset_seconds: float) -> float:
        """The monotonic time of an offset from arrival."""
        return self.call.arrived + offset_seconds

    def round_trip_seconds(self) -> float:
        """Network time of this call."""
        return self.deployment_running.deployment.latency.round_trip_ms * self.effects.slow_factor / 1000.0

    def answer_headers(self, content_type: bytes) -> list[headers.Header]:
        """The headers of an answer that is not an error."""
        running = self.deployment_running
        now = self._standing(time.monotonic())
        return [
            (b"content-type", content_type),
            *headers.identity(running.deployment, self.client_request_id),
            *headers.standing(running.deployment, now),
        ]

    def admit(self, prompt_tokens: int, most_output_tokens: int) -> None:
        """Charges the call to its deployment's quota.

        Raises:
            ServiceError: A quota or a fault turns it away.
        """
        running, fault, now = self.deployment_running, self.effects.refusal, time.monotonic()
        self._quota = running.quota
        estimate = self.call.asked_tokens = prompt_tokens + most_output_tokens
        self.call.decided = now
        if fault is not None and fault.kind in REFUSALS:
            running.quota.count_request(now)
            raise forced(self._refusing(now), fault)
        decision = running.quota.admit(now, estimate, token_limit=self._token_limit())
        if not decision.admitted:
            raise turned_away(self._refusing(now), decision)
        self.call.prompt_tokens, self.call.estimate = prompt_tokens, estimate
        utilization = running.quota.standing(now).utilization_percent
        self._tally.admit(now, estimate, utilization)
        if fault is not None:
            raise filtered_prompt(VIOLENT_PROMPT) if fault.kind == "content_filter" else server_error(fault.status)

    async def _open(self) -> dict[str, Any]:
        authorise(self.exchange.headers, self.service.key)
        if self.route.deployment is not None:
            self._resolve(self.route.deployment)
        body = await self.exchange.body(self.service.most_body_bytes)
        document = _parse(body)
        if self.running is None:
            name = document.get("model")
            if not isinstance(name, str) or not name:
                raise bad_request(
                    "Missing required parameter: 'model'. It is the name of the deployment.",
                    param="model",
                    code="missing_required_parameter",
                )
            self._resolve(name)
        return document

    def _resolve(self, name: str) -> None:
        self.call.deployment = f"{self.route.account or ''}/{name[:64]}"
        running = self.service.find(self.route.account, name)
        self.running = running
        self.call.deployment = running.deployment.key
        self._tally, self._quota = running.tally, running.quota
        self._tally.arrive()
        self.effects = self.service.faults.effects(running.deployment, self.call.arrived)
        if self.effects.refusal is not None and self.effects.refusal.kind == "refuse_connection_like_503":
            raise unavailable()
        if running.deployment.kind != self.route.operation:
            raise wrong_operation(_MODEL_OPERATIONS[self.route.operation], running.deployment.model)

    def _token_limit(self) -> int | None:
        share = self.effects.limit_share
        return None if share == 1.0 else int(self.deployment_running.deployment.tokens_per_minute * share)

    def _refusing(self, now: float) -> Refusing:
        operation = OPERATION_NAMES[self.route.operation]
        deployment = self.deployment_running.deployment
        return Refusing(deployment, self._standing(now), operation, self.route.api_version)

    def _standing(self, now: float) -> Standing:
        return self.deployment_running.quota.standing(now, token_limit=self._token_limit())

    async def _fail(self, error: ServiceError) -> None:
        self.call.status = error.status
        deployment = self.running.deployment if self.running else None
        try:
            if self.running is not None:
                if error.outcome == "bad_request":
                    self.running.quota.count_request(time.monotonic())
                await self.exchange.sleep_until(self.due(self.round_trip_seconds()))
            await self.exchange.fail(error, headers.identity(deployment, self.client_request_id))
        except ClientGone:
            self.call.outcome = "client_closed"

    def _close(self) -> None:
        """Writes the call down where it began: a reset meanwhile starts accounts in which it does not appear."""
        now = time.monotonic()
        if self._quota is not None and self.call.estimate:
            taken = self.call.prompt_tokens + self.call.output_tokens
            self._quota.settle(now, self.call.estimate, taken)
        self.exchange.close()
        if self.running is None:
            self._tally.arrive()
        self._tally.leave(self.call)
        self._ledger.close(self.call, now)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise unparseable() from error
    if not isinstance(document, dict):
        raise unparseable()
    return document


Responder = Callable[[ModelCall, dict[str, Any]], Awaitable[None]]
