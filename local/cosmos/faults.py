"""Faults on purpose: what to answer instead of, or before, the real thing, and how often."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any, Final

from local.cosmos.errors import TOO_MANY_REQUESTS, CosmosError, bad_request

_STATUSES: Final = frozenset({408, 410, 429, 449, 500, 503})
_MEMBERS: Final = frozenset({"status", "count", "retry_after_ms", "container", "operation", "delay_ms", "substatus"})
_FAULTS_LIMIT: Final = 1000
_DELAY_LIMIT_MS: Final = 600_000


@dataclass(slots=True)
class Fault:
    """One rule.

    Attributes:
        status: What to answer, or None to answer as usual after the delay.
        count: How many more requests it is for.
        retry_after_ms: What the reply tells the client to wait, for 429 and 449.
        container: Only requests to this container, or None for any.
        operation: Only this kind of operation, or None for any.
        delay_ms: How long to wait before the answer.
        substatus: The reply's substatus; 3200 for 429 where nothing else is said.
    """

    status: int | None
    count: int
    retry_after_ms: int
    container: str | None
    operation: str | None
    delay_ms: int
    substatus: int

    def is_for(self, operation: str, container: str | None) -> bool:
        """Whether it is for a request."""
        return self.container in {None, container} and self.operation in {None, operation}


class Faults:
    """The rules in force, oldest first; a request meets at most one."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, rule: dict[str, Any]) -> Fault:
        """Takes a rule.

        Raises:
            CosmosError: 400 when it is wrong; it names the member.
        """
        if unknown := set(rule) - _MEMBERS:
            raise bad_request(f"Unknown members: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(_MEMBERS))}.")
        if len(self._faults) >= _FAULTS_LIMIT:
            raise bad_request(f"There are already {_FAULTS_LIMIT} faults; DELETE them first.")
        status = rule.get("status")
        if status is not None and status not in _STATUSES:
            raise bad_request(
                f"status must be one of {', '.join(map(str, sorted(_STATUSES)))}, or absent with delay_ms."
            )
        fault = Fault(
            status=status,
            count=_whole(rule, "count", 1, 1_000_000),
            retry_after_ms=_whole(rule, "retry_after_ms", 10, _DELAY_LIMIT_MS),
            container=_name(rule, "container"),
            operation=_name(rule, "operation"),
            delay_ms=_whole(rule, "delay_ms", 0, _DELAY_LIMIT_MS),
            substatus=_whole(rule, "substatus", TOO_MANY_REQUESTS if status == 429 else 0, 65535),
        )
        if status is None and not fault.delay_ms:
            raise bad_request("A fault needs a status, a delay_ms, or both.")
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Drops all rules."""
        self._faults.clear()

    def list(self) -> list[dict[str, Any]]:
        """The rules that are still in force."""
        return [asdict(fault) for fault in self._faults]

    async def meet(self, operation: str, container: str | None) -> None:
        """Applies the first rule that is for a request.

        Raises:
            CosmosError: What the rule answers.
        """
        if not self._faults:
            return
        fault = next((fault for fault in self._faults if fault.is_for(operation, container)), None)
        if fault is None:
            return
        fault.count -= 1
        if not fault.count:
            self._faults.remove(fault)
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.status is not None:
            wait = {"x-ms-retry-after-ms": str(fault.retry_after_ms)} if fault.status in {429, 449} else {}
            raise CosmosError(fault.status, "Injected fault.", fault.substatus, wait)


def _whole(rule: dict[str, Any], name: str, default: int, most: int) -> int:
    value = rule.get(name, default)
    if type(value) is not int or not (0 if name != "count" else 1) <= value <= most:
        raise bad_request(f"{name} must be a whole number up to {most}.")
    return value


def _name(rule: dict[str, Any], name: str) -> str | None:
    value = rule.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{name} must be a string.")
    return value
