"""The four kinds of 429: own quota, system capacity, temporary cut, oversized request."""

import math
from dataclasses import dataclass

from local.openai import headers
from local.openai.config import Deployment
from local.openai.errors import ServiceError, gateway_body
from local.openai.faults import Fault
from local.openai.quota.decision import Decision, Standing, used_up
from local.openai.regions import display

OVERSIZED_WAIT_SECONDS = 86_400.0
"""What Azure tells a caller whose request can never fit: come back in a day."""


_FAULT_WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Refusing:
    """The call that is turned away: whose deployment, where that stands, which operation."""

    deployment: Deployment
    standing: Standing
    operation: str
    api_version: str


def turned_away(call: Refusing, decision: Decision) -> ServiceError:
    """The 429 for a call that the quota does not admit."""
    kind = "oversized" if decision.reason == "oversized" else "temporary_cut" if decision.cut else "quota"
    reason = "tokens" if decision.reason == "oversized" else decision.reason
    wait = OVERSIZED_WAIT_SECONDS if math.isinf(decision.wait_seconds) else decision.wait_seconds
    variant, reset_format = call.deployment.throttle_headers, call.deployment.reset_format
    found = headers.waiting(call.standing, wait, variant, reset_format, by_requests=reason == "requests")
    return ServiceError(429, _body(call, kind, reason, wait), f"{kind}_429", headers=tuple(found))


def forced(call: Refusing, fault: Fault) -> ServiceError:
    """The 429 that a fault asks for, with figures that agree with it."""
    standing = call.standing
    reason = "utilization" if standing.utilization_percent is not None and fault.kind == "quota" else fault.limit
    if fault.kind in {"quota", "temporary_cut"}:
        standing = used_up(standing, fault.limit)
    wait = OVERSIZED_WAIT_SECONDS if fault.kind == "oversized" else _FAULT_WAIT_SECONDS
    if fault.retry_after_ms is not None:
        wait = fault.retry_after_ms / 1000.0
    variant = fault.headers or call.deployment.throttle_headers
    reset_format = fault.reset_format or call.deployment.reset_format
    found = headers.waiting(standing, wait, variant, reset_format, by_requests=reason == "requests")
    return ServiceError(429, _body(call, fault.kind, reason, wait), f"{fault.kind}_429", headers=tuple(found))


def _body(call: Refusing, kind: str, reason: str, wait: float) -> bytes:
    if kind == "capacity":
        return _no_capacity(wait)
    if reason == "utilization":
        return _over_provisioned(call, wait)
    return _over_limit(call, reason, wait)


def _over_limit(call: Refusing, reason: str, wait: float) -> bytes:
    deployment = call.deployment
    limit = "call" if reason == "requests" else "token"
    message = (
        f"Your requests to {deployment.model} for {deployment.name} in {display(deployment.region)} have exceeded the "
        f"{limit} rate limit for your current AIServices S0 pricing tier. This request was for {call.operation} under "
        f"Azure OpenAI API version {call.api_version}. Please retry after {max(1, math.ceil(wait))} seconds. To "
        "increase your default rate limit, visit: https://aka.ms/oai/quotaincrease."
    )
    return gateway_body("RateLimitReached", message)


def _over_provisioned(call: Refusing, wait: float) -> bytes:
    message = (
        f"Requests to the {call.operation} Operation under Azure OpenAI API version {call.api_version} have exceeded "
        f"the provisioned throughput of {call.deployment.name}. Please retry after {math.ceil(wait * 1000)} "
        "milliseconds."
    )
    return gateway_body("429", message)


def _no_capacity(wait: float) -> bytes:
    message = (
        "The system is currently experiencing high demand and cannot process your request. Your request exceeds the "
        f"maximum usage size allowed during peak load. Please retry after {max(1, math.ceil(wait))} seconds. For "
        "improved capacity reliability, consider switching to Provisioned Throughput."
    )
    return gateway_body("429", message)
