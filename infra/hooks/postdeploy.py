"""After deploying: waits until the app can work, gives it the sample shop's knowledge, asks it a question."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.hooks.app import App
from infra.hooks.console import HookError, no_arguments, say
from infra.hooks.operator_key import KEY
from infra.hooks.tools import run_json

SAMPLE = Path(__file__).parents[2] / "samples" / "wallegpt" / "knowledge.jsonl"
FIELDS = ("id", "title", "text", "url")
BATCH = 20
STARTED_SECONDS, READY_SECONDS, TURN_SECONDS = 300.0, 300.0, 180.0
QUESTION = "How much is the RoboVac R3, and does it mop?"


def main(variables: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> int:
    """Runs all steps; the exit code."""
    try:
        app = App(_needed(variables, "SPILLWAY_URL").rstrip("/"), _authorization(variables), pause)
        app.wait_for("/api/health/live", "the app has started", STARTED_SECONDS)
        app.wait_for("/api/health/ready", "store and queues answer the app", READY_SECONDS)
        if variables.get("SPILLWAY_SEED") != "false":
            seed(app)
        smoke(app)
    except HookError as error:
        say(f"The app is deployed but not proved. {error}", "After mending it: azd hooks run postdeploy")
        return 1
    _links(variables)
    return 0


def seed(app: App) -> None:
    """Stores the sample knowledge for the operator's tenant; storing it again changes nothing.

    Raises:
        HookError: The app refused it.
    """
    stored = 0
    for batch in _batches():
        answer = app.ask("PUT", "/api/knowledge", {"documents": batch})
        if answer.status != 200:
            raise HookError(f"The sample knowledge was refused. {answer.said()}")
        stored += answer.body["stored"]
    say(f"Stored {stored} sample documents.")


def smoke(app: App) -> None:
    """Asks one question and shows the answer.

    Raises:
        HookError: It was not answered.
    """
    turn = app.turn(QUESTION, TURN_SECONDS)
    if turn["state"] != "succeeded" or not turn.get("answer"):
        raise HookError(f"The test question was not answered: {json.dumps(turn)[:500]}")
    sources = ", ".join(citation["id"] for citation in turn["citations"]) or "none"
    say(f"Asked: {QUESTION}", f"Answer: {turn['answer']}", f"Sources: {sources}. Turn: {turn['turn_id']}")


def _batches() -> Iterator[list[dict[str, Any]]]:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    documents = [{name: entry[name] for name in FIELDS if name in entry} for entry in map(json.loads, lines)]
    for start in range(0, len(documents), BATCH):
        yield documents[start : start + BATCH]


def _authorization(variables: Mapping[str, str]) -> dict[str, str]:
    if variables.get("SPILLWAY_AUTH") != "entra":
        return {"x-functions-key": _needed(variables, KEY)}
    scope = f"api://{_needed(variables, 'SPILLWAY_ENTRA_CLIENT_ID')}/.default"
    token = run_json("az", "account", "get-access-token", "--scope", scope, "--output", "json")["accessToken"]
    return {"Authorization": f"Bearer {token}"}


def _needed(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        raise HookError(f"{name} is not set. Run azd provision.")
    return value


def _links(variables: Mapping[str, str]) -> None:
    subscription, group = variables.get("AZURE_SUBSCRIPTION_ID", ""), variables.get("AZURE_RESOURCE_GROUP", "")
    tenant = f"https://portal.azure.com/#@{variables.get('AZURE_TENANT_ID', '')}"
    portal = f"{tenant}/resource/subscriptions/{subscription}/resourceGroups/{group}"
    insights = f"{portal}/providers/Microsoft.Insights/components/{variables.get('AZURE_APP_INSIGHTS_NAME')}/overview"
    say(
        f"Chat page:        {variables['SPILLWAY_URL']}/api/",
        f"OpenAI base_url:  {variables['SPILLWAY_URL']}/api/openai/v1",
        f"Resource group:   {portal}/overview",
        f"Telemetry:        {insights}",
    )
    if variables.get("SPILLWAY_FRONT_URL"):
        say(f"API Management:   {variables['SPILLWAY_FRONT_URL']}/api/")


if __name__ == "__main__":
    no_arguments(__doc__)
    sys.exit(main(os.environ))
