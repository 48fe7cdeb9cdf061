"""Service Bus: the queues that the app and local runs know, and nothing lost without a trace."""

import re
from collections.abc import Iterator

from tests.app_functions import app_functions
from tests.infra.rules.project import Project, Rule, declared

QUEUE = "Microsoft.ServiceBus/namespaces/queues"
SAME = {
    "LockDuration": "lockDuration",
    "MaxDeliveryCount": "maxDeliveryCount",
    "DefaultMessageTimeToLive": "defaultMessageTimeToLive",
    "DeadLetteringOnMessageExpiration": "deadLetteringOnMessageExpiration",
    "RequiresDuplicateDetection": "requiresDuplicateDetection",
    "DuplicateDetectionHistoryTimeWindow": "duplicateDetectionHistoryTimeWindow",
    "RequiresSession": "requiresSession",
}
"""Names of properties in the emulator's configuration and in Azure."""
LONGEST_LOCK_SECONDS = 300


def queues_are_as_local_runs_declare_them(project: Project) -> Iterator[str]:
    wanted = {
        queue["Name"]: {azure: queue["Properties"][local] for local, azure in SAME.items()}
        for queue in declared("queues.json")["UserConfig"]["Namespaces"][0]["Queues"]
    }
    for scenario in project.scenarios:
        found = {queue.name: queue.properties for where, queue in project.resources(QUEUE) if where == scenario}
        if set(found) != set(wanted):
            yield f"{scenario}: queues {sorted(found)} instead of {sorted(wanted)}"
        for name in set(found) & set(wanted):
            for prop, value in wanted[name].items():
                if found[name].get(prop) != value:
                    yield f"{scenario}: {name}.{prop} is {found[name].get(prop)!r} and locally {value!r}"


def triggers_have_their_queues(project: Project) -> Iterator[str]:
    bindings = [binding for found in app_functions().values() for binding in found]
    wanted = {str(binding["queueName"]) for binding in bindings if binding["type"] == "serviceBusTrigger"}
    for scenario in project.scenarios:
        missing = wanted - {queue.name for where, queue in project.resources(QUEUE) if where == scenario}
        if missing:
            yield f"{scenario}: no queue for the triggers on {sorted(missing)}"


def expired_turns_become_dead_letters(project: Project) -> Iterator[str]:
    for scenario, queue in project.resources(QUEUE):
        if queue.name != "replies" and queue.properties.get("deadLetteringOnMessageExpiration") is not True:
            yield f"{scenario}: {queue.name} drops what expires"


def locks_are_within_the_limit(project: Project) -> Iterator[str]:
    for scenario, queue in project.resources(QUEUE):
        lock = re.fullmatch(r"PT(?:(\d+)M)?(?:(\d+)S)?", str(queue.properties.get("lockDuration")))
        seconds = int(lock[1] or 0) * 60 + int(lock[2] or 0) if lock else 0
        if not 0 < seconds <= LONGEST_LOCK_SECONDS:
            yield f"{scenario}: {queue.name} has the lock {queue.properties.get('lockDuration')}"


RULES: tuple[Rule, ...] = (
    queues_are_as_local_runs_declare_them,
    triggers_have_their_queues,
    expired_turns_become_dead_letters,
    locks_are_within_the_limit,
)
