"""What the app is told on this machine: keys made once, and the settings that the infrastructure gives in Azure."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from local.run.processes import ROOT

STORE_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The key that Microsoft publishes for every Cosmos DB emulator; it opens nothing but this machine's."""
MODEL_KEY = "local-openai-key"
PRICES = {"gpt-4o-mini": {"input": 0.15, "cached": 0.075, "output": 0.6}}
"""Dollars a million tokens, so that cost is not empty; the price list of the model's first year."""


def keys(folder: Path) -> dict[str, str]:
    """The keys of user and operator on this machine, made once and kept in the data folder."""
    path = folder / "keys.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps({name: secrets.token_urlsafe(24) for name in ("user", "operator")}))
    found: dict[str, str] = json.loads(path.read_text())
    return found


def settings(services: dict[str, dict[str, Any]], secret: dict[str, str]) -> dict[str, str]:
    """The app's settings on this machine; in Azure the infrastructure gives the same names other values."""
    connection = (
        f"Endpoint=sb://localhost:{services['servicebus']['port']};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true"
    )
    api_keys = [
        {"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": "contoso", "operator": name == "operator"}
        for name, key in secret.items()
    ]
    return {
        "ServiceBusConnection": connection,
        "COSMOS_ENDPOINT": services["cosmos"]["url"],
        "COSMOS_KEY": STORE_KEY,
        "SPILLWAY_OPENAI_KEY": MODEL_KEY,
        "SPILLWAY_API_KEYS": json.dumps(api_keys),
        "SPILLWAY_DEPLOYMENTS": os.environ.get("SPILLWAY_DEPLOYMENTS") or deployments(services["openai"]["url"]),
        "SPILLWAY_SWEEP_SCHEDULE": "*/15 * * * * *",
        "SPILLWAY_PRICES": os.environ.get("SPILLWAY_PRICES") or json.dumps(PRICES),
    }


def deployments(model_url: str) -> str:
    """The app's view of the simulator's deployments."""
    config = json.loads((ROOT / "local" / "openai" / "deployments.json").read_text(encoding="utf-8"))
    regions = {account["name"]: account["region"] for account in config["accounts"]}
    names = ("name", "model", "kind", "tier", "tokens_per_minute", "requests_per_minute")
    entries = [
        {name: entry[name] for name in names if name in entry}
        | {"endpoint": f"{model_url}/{entry['account']}/openai/v1/", "region": regions[entry["account"]]}
        for entry in config["deployments"]
    ]
    return json.dumps(entries)
