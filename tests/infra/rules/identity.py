"""Roles: what each SDK call of the app needs, no less and no more."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from azure.cosmos.aio import ContainerProxy
from azure.servicebus.aio import ServiceBusReceiver, ServiceBusSender

from tests.infra.bicep.resources import Resource
from tests.infra.rules.project import Project, Rule, called, calls

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
COSMOS_ASSIGNMENT = "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"


@dataclass(frozen=True, slots=True)
class Role:
    """A role of Azure: what it is called, where it applies and what it allows."""

    name: str
    kind: str
    allows: frozenset[str]


BUS, STORAGE = "Microsoft.ServiceBus/namespaces", "Microsoft.Storage/storageAccounts"
MODELS, INSIGHTS = "Microsoft.CognitiveServices/accounts", "Microsoft.Insights/components"
COSMOS = "Microsoft.DocumentDB/databaseAccounts"
ROLES = {
    "090c5cfd-751d-490a-894a-3ce6f1109419": Role(
        "Azure Service Bus Data Owner", BUS, frozenset({"send", "receive", "count"})
    ),
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": Role("Azure Service Bus Data Sender", BUS, frozenset({"send"})),
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": Role("Azure Service Bus Data Receiver", BUS, frozenset({"receive"})),
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": Role("Storage Blob Data Owner", STORAGE, frozenset({"host blobs"})),
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": Role("Storage Queue Data Contributor", STORAGE, frozenset({"queues"})),
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": Role("Storage Table Data Contributor", STORAGE, frozenset({"tables"})),
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": Role("Cognitive Services OpenAI User", MODELS, frozenset({"call"})),
    "3913510d-42f4-4e42-8a64-420c390055eb": Role("Monitoring Metrics Publisher", INSIGHTS, frozenset({"publish"})),
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": Role("Monitoring Reader", INSIGHTS, frozenset({"read telemetry"})),
    "00000000-0000-0000-0000-000000000002": Role(
        "Cosmos DB Built-in Data Contributor", COSMOS, frozenset({"read items", "write items"})
    ),
}
"""Source: Azure's list of built-in roles; Cosmos DB's own role definitions."""

CALLS = {
    "send_messages": (BUS, "send"),
    "receive_messages": (BUS, "receive"),
    "peek_messages": (BUS, "receive"),
    "complete_message": (BUS, "receive"),
    "abandon_message": (BUS, "receive"),
    "dead_letter_message": (BUS, "receive"),
    "schedule_messages": (BUS, "send"),
    "read_item": (COSMOS, "read items"),
    "query_items": (COSMOS, "read items"),
    "create_item": (COSMOS, "write items"),
    "upsert_item": (COSMOS, "write items"),
    "replace_item": (COSMOS, "write items"),
    "patch_item": (COSMOS, "write items"),
    "delete_item": (COSMOS, "write items"),
    "execute_item_batch": (COSMOS, "write items"),
    "TelemetryReader": (INSIGHTS, "read telemetry"),
}
"""What each call of an SDK that the app may make needs, and its own reader of telemetry."""
HOST = frozenset({(BUS, "receive"), (BUS, "count"), (STORAGE, "host blobs"), (INSIGHTS, "publish"), (MODELS, "call")})
"""What the host needs (triggers, scaling by queue length, its own blobs), and the exporter and model calls."""
NOT_REMOTE = frozenset({"close", "get"})


def sdk_calls_are_in_the_table(project: Project) -> Iterator[str]:
    clients = (ContainerProxy, ServiceBusSender, ServiceBusReceiver)
    known = {name for client in clients for name in dir(client) if not name.startswith("_")}
    made = {called(call) for call in calls("shared/adapters")}
    for name in sorted(made & known - set(CALLS) - NOT_REMOTE):
        yield f"it is not known which role the call {name} needs"


@cache
def needed() -> frozenset[tuple[str, str]]:
    """What the app's own calls and its host need: type of resource and permission."""
    made = {called(call) for call in calls("shared")}
    return HOST | {permission for name, permission in CALLS.items() if name in made}


def roles_are_sufficient(project: Project) -> Iterator[str]:
    for scenario, result in project.scenarios.items():
        targets = [entry for entry in result.resources if not entry.existing and entry.kind in {k for k, _ in needed()}]
        granted = {(target, allowed) for target, role in _granted(project, scenario) for allowed in role.allows}
        for target in targets:
            for kind, permission in sorted(needed()):
                if kind == target.kind and (target.id, permission) not in granted:
                    yield f"{scenario}: the app may not {permission} at {target.name}"


def no_role_is_needless(project: Project) -> Iterator[str]:
    for scenario in project.scenarios:
        for target, role in _granted(project, scenario):
            if not {(role.kind, allowed) for allowed in role.allows} & needed():
                yield f"{scenario}: nothing needs {role.name} at {target}"


def _granted(project: Project, scenario: str) -> Iterator[tuple[str, Role]]:
    for where, assignment in _assignments(project):
        role = ROLES.get(_role_id(assignment))
        if where == scenario and role is not None:
            yield _target(assignment), role


def roles_are_known_and_on_the_right_service(project: Project) -> Iterator[str]:
    for scenario, assignment in _assignments(project):
        role = ROLES.get(_role_id(assignment))
        target = assignment.scope or assignment.parent
        if role is None:
            yield f"{scenario}: line {assignment.line} of rbac assigns the unknown role {_role_id(assignment)}"
        elif target is None or target.kind != role.kind:
            yield f"{scenario}: {role.name} belongs on {role.kind}, not on {target.kind if target else 'a whole group'}"


def assignments_are_repeatable(project: Project) -> Iterator[str]:
    for scenario, result in project.scenarios.items():
        names = [entry.name for entry in result.resources if entry.kind in {ASSIGNMENT, COSMOS_ASSIGNMENT}]
        if len(set(names)) != len(names):
            yield f"{scenario}: two role assignments have the same name, so the second would have to move the first"
    for scenario, assignment in _assignments(project):
        try:
            uuid.UUID(assignment.name)
        except ValueError:
            yield f"{scenario}: a role assignment is called {assignment.name}, which is no GUID"
        if assignment.kind == ASSIGNMENT and assignment.properties.get("principalType") != "ServicePrincipal":
            yield f"{scenario}: without principalType an assignment fails while the identity is new"
        if not str(assignment.properties.get("principalId", "")).startswith("principal-of-"):
            yield f"{scenario}: an assignment is not for the identity's principal"


def roles_are_given_in_one_place_and_named(project: Project) -> Iterator[str]:
    for scenario, assignment in _assignments(project):
        if assignment.module != "app/rbac.bicep":
            yield f"{scenario}: {assignment.module} assigns a role"
    text = (project.infra / "app" / "rbac.bicep").read_text()
    for comment, identifier in re.findall(r"(?m)(?:^// (.*)\n)?^var \w+ = '([0-9a-f-]{36})'$", text):
        role = ROLES.get(identifier)
        if role is not None and not comment.startswith(role.name):
            yield f"the comment above {identifier} should begin with {role.name}"


def _assignments(project: Project) -> Iterator[tuple[str, Resource]]:
    yield from project.resources(ASSIGNMENT)
    yield from project.resources(COSMOS_ASSIGNMENT)


def _role_id(assignment: Resource) -> str:
    return str(assignment.properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1]


def _target(assignment: Resource) -> str:
    target = assignment.scope or assignment.parent
    return target.id if target else ""


RULES: tuple[Rule, ...] = (
    sdk_calls_are_in_the_table,
    roles_are_sufficient,
    no_role_is_needless,
    roles_are_known_and_on_the_right_service,
    assignments_are_repeatable,
    roles_are_given_in_one_place_and_named,
)
