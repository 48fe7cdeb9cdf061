"""What a success cost besides model tokens: worker slots, Service Bus operations, store charge; segment by segment."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from bench.lab.facts import Facts, Snapshot

LANES, RELAY = "chat-", "replies"
NOT_OPERATIONS = {"scheduled", "lock_expired"}
"""Counted by the broker, but no request of a client: a scheduled message was sent as well, a lock lapses by itself."""


def costs(facts: Facts) -> dict[str, Any]:
    """Costs of each segment of the run, per turn asked in it that succeeded.

    `worker_slot_seconds_per_success`: seconds for which messages of the lanes were locked by workers; a worker
    holds the lock as long as the invocation runs. `bus_operations_per_success`: messages sent, delivered, settled,
    renewed and peeked in the lanes; those of the relay apart. `store_charge_per_success`: request units.
    """
    result = {}
    for before, after in pairwise(facts.snapshots):
        asked = [journey for journey in facts.journeys if before.at <= journey.asked_at < after.at]
        successes = sum(facts.succeeded(journey) for journey in asked)
        result[before.segment] = {"succeeded": successes, **(_per(successes, before, after) if successes else {})}
    return result


def _per(successes: int, before: Snapshot, after: Snapshot) -> dict[str, Any]:
    def each(amount: float) -> float:
        return round(amount / successes, 4)

    return {
        "worker_slot_seconds_per_success": each(_locked(after.broker) - _locked(before.broker)),
        "bus_operations_per_success": each(_operations(after.broker, LANES) - _operations(before.broker, LANES)),
        "relay_operations_per_success": each(_operations(after.broker, RELAY) - _operations(before.broker, RELAY)),
        "store_charge_per_success": each(after.store.get("request_charge", 0) - before.store.get("request_charge", 0)),
    }


def _locked(broker: Mapping[str, Any]) -> float:
    return sum(float(queue["locked_seconds"]) for name, queue in broker.items() if name.startswith(LANES))


def _operations(broker: Mapping[str, Any], prefix: str) -> int:
    return sum(
        int(times)
        for name, queue in broker.items()
        if name.startswith(prefix)
        for operation, times in queue["operations"].items()
        if operation not in NOT_OPERATIONS
    )
