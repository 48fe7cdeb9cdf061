"""What the app's import loads: its own modules, and the SDK modules that these ask for at load time."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

from tests.processes import ROOT

OURS = ("function_app", "functions", "shared")
APP_SETTINGS = {
    "ServiceBusConnection": "Endpoint=sb://localhost:1;SharedAccessKeyName=n;SharedAccessKey=k;"
    "UseDevelopmentEmulator=true",
    "COSMOS_ENDPOINT": "http://127.0.0.1:1",
    "COSMOS_KEY": "a2V5",
    "SPILLWAY_OPENAI_KEY": "key",
    "SPILLWAY_API_KEYS": "[]",
    "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *",
    "SPILLWAY_DEPLOYMENTS": json.dumps(
        [
            {
                "name": "chat",
                "model": "gpt-4o-mini",
                "endpoint": "http://127.0.0.1:1/openai/v1",
                "tokens_per_minute": 1000,
                "requests_per_minute": 10,
            }
        ]
    ),
}
"""Settings of an app that is imported only; nothing is connected."""


def loaded_modules() -> set[str]:
    """All modules in a fresh process that has imported the app."""
    output = subprocess.run(
        [sys.executable, "-c", "import sys, json, function_app; print(json.dumps(sorted(sys.modules)))"],
        cwd=ROOT,
        env={**os.environ, **APP_SETTINGS, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(json.loads(output))


def third_party_imports(loaded: Iterable[str]) -> set[str]:
    """The foreign modules that the app's loaded modules import at load time."""
    loaded = set(loaded)
    found: set[str] = set()
    for module in loaded:
        if module.split(".")[0] in OURS:
            path = ROOT / f"{module.replace('.', '/')}.py"
            path = path if path.exists() else ROOT / module.replace(".", "/") / "__init__.py"
            found |= {name for name in _at_load_time(path.read_text(encoding="utf-8")) if name in loaded}
    return {name for name in found if name.split(".")[0] not in {*OURS, *sys.stdlib_module_names}}


def _at_load_time(source: str) -> Iterator[str]:
    """Modules of the import statements outside of functions and of `if TYPE_CHECKING`; a name may be a submodule."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
