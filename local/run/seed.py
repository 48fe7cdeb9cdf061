"""The shop's documents, stored through the app's own route."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from local.run.processes import RunFailed

SEED_BATCH = 50


def seed(url: str, operator_key: str, documents: Path) -> int:
    """Stores the shop's documents through the app's own route; how many.

    Raises:
        RunFailed: The app refused them.
    """
    lines = [json.loads(line) for line in documents.read_text(encoding="utf-8").splitlines() if line.strip()]
    wanted = [
        {name: line[name] for name in ("id", "title", "text", "url") if line.get(name) is not None} for line in lines
    ]
    for begin in range(0, len(wanted), SEED_BATCH):
        body = json.dumps({"documents": wanted[begin : begin + SEED_BATCH]}).encode()
        headers = {"x-functions-key": operator_key, "content-type": "application/json"}
        request = urllib.request.Request(f"{url}/api/knowledge", body, headers, method="PUT")  # noqa: S310  always http on loopback
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
                reply.read()
        except urllib.error.HTTPError as error:
            raise RunFailed(f"The knowledge could not be stored: {error.read().decode()}") from error
    return len(wanted)
