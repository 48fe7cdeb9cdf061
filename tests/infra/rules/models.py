"""Azure OpenAI: deployments that can be created, and a deployment list for the app that tells the truth about them."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.infra.bicep.resources import Resource
from tests.infra.rules.project import Project, Rule

ACCOUNT = "Microsoft.CognitiveServices/accounts"
DEPLOYMENT = f"{ACCOUNT}/deployments"
SKUS = frozenset(
    {
        "Standard",
        "GlobalStandard",
        "DataZoneStandard",
        "ProvisionedManaged",
        "GlobalProvisionedManaged",
        "DataZoneProvisionedManaged",
    }
)
MOST_REGIONS = 3


def deployments_are_written_one_at_a_time(project: Project) -> Iterator[str]:
    for scenario, deployment in project.resources(DEPLOYMENT):
        if deployment.batch_size != 1:
            yield f"{scenario}: {deployment.name} may be written at the same time as another, which the account refuses"


def deployments_are_complete(project: Project) -> Iterator[str]:
    for scenario, deployment in project.resources(DEPLOYMENT):
        sku, model = deployment.body.get("sku", {}), deployment.properties.get("model", {})
        if sku.get("name") not in SKUS or not sku.get("capacity"):
            yield f"{scenario}: {deployment.name} has the sku {sku}"
        if model.get("format") != "OpenAI" or not model.get("name") or not model.get("version"):
            yield f"{scenario}: {deployment.name} has the model {model}"
        if not deployment.properties.get("raiPolicyName"):
            yield f"{scenario}: {deployment.name} has no content filter of its own"


def spillover_stays_in_the_account(project: Project) -> Iterator[str]:
    for scenario, deployment in project.resources(DEPLOYMENT):
        target = deployment.properties.get("spilloverDeploymentName")
        siblings = {
            entry.name: entry
            for where, entry in project.resources(DEPLOYMENT)
            if where == scenario and entry.parent is deployment.parent
        }
        if target is None:
            continue
        if "Provisioned" not in deployment.body["sku"]["name"]:
            yield f"{scenario}: {deployment.name} spills over and is not provisioned"
        if target not in siblings or "Provisioned" in siblings[target].body["sku"]["name"]:
            yield f"{scenario}: {deployment.name} spills over to {target}, which is no standard deployment beside it"
        elif list(siblings).index(target) > list(siblings).index(deployment.name):
            yield f"{scenario}: {deployment.name} is written before {target}, which it names"


def accounts_take_tokens(project: Project) -> Iterator[str]:
    for scenario, account in project.resources(ACCOUNT):
        if account.properties.get("customSubDomainName") != account.name:
            yield f"{scenario}: {account.name} has no subdomain of its own name, so it takes no tokens"


def the_app_is_told_the_truth(project: Project) -> Iterator[str]:
    for scenario, settings in project.app_settings().items():
        told = json.loads(settings["SPILLWAY_DEPLOYMENTS"])
        created = {_address(entry): entry for where, entry in project.resources(DEPLOYMENT) if where == scenario}
        for entry in told:
            yield from (
                f"{scenario}: {fault}"
                for fault in _faults(entry, created.get((entry["endpoint"], entry["deployment"])))
            )
        if missing := set(created) - {(entry["endpoint"], entry["deployment"]) for entry in told}:
            yield f"{scenario}: the app is not told of {sorted(missing)}"


def _address(deployment: Resource) -> tuple[str, str]:
    account = deployment.parent.properties.get("customSubDomainName") if deployment.parent else None
    return f"https://{account}.openai.azure.com/openai/v1/", deployment.name


def _faults(told: dict[str, Any], created: Resource | None) -> Iterator[str]:
    name = told["name"]
    if created is None:
        if "YOUR-RESOURCE" not in told["endpoint"]:
            yield f"{name} is at {told['endpoint']} under the name {told['deployment']}, where nothing is created"
        return
    provisioned = "Provisioned" in created.body["sku"]["name"]
    if (told["tier"] == "provisioned") != provisioned:
        yield f"{name} is {told['tier']} for the app and {created.body['sku']['name']} for Azure"
    if not provisioned and told["tokens_per_minute"] != created.body["sku"]["capacity"] * 1000:
        yield f"{name} has {told['tokens_per_minute']} tokens a minute for the app, {created.body['sku']} for Azure"
    if told["model"] != created.properties["model"]["name"]:
        yield f"{name} is {told['model']} for the app and {created.properties['model']['name']} for Azure"
    if created.parent and told["region"] != created.parent.body["location"]:
        yield f"{name} is in {told['region']} for the app and {created.parent.body['location']} for Azure"


def tables_are_sound(project: Project) -> Iterator[str]:
    for path in sorted((project.infra / "models").glob("*.json")):
        rows = json.loads(path.read_text())
        names = Counter(row["name"] for row in rows)
        for name in (name for name, count in names.items() if count > 1):
            yield f"{path.name}: {name} is there twice"
        for row in rows:
            if "Provisioned" in row.get("sku", "") and not row.get("tokensPerMinute"):
                yield f"{path.name}: {row['name']} is provisioned and does not say its tokensPerMinute"
        if {"chat", "embeddings"} - {row["kind"] for row in rows}:
            yield f"{path.name}: answering from knowledge needs a chat and an embeddings deployment"
        if len({row.get("region") for row in rows}) > MOST_REGIONS:
            yield f"{path.name}: more than {MOST_REGIONS} regions"


RULES: tuple[Rule, ...] = (
    deployments_are_written_one_at_a_time,
    deployments_are_complete,
    spillover_stays_in_the_account,
    accounts_take_tokens,
    the_app_is_told_the_truth,
    tables_are_sound,
)
