"""What a cold start costs: CPU to import the app against its SDKs alone, and the memory of an idle instance.

The SDKs are those that the app's own modules import at load time, found in their source, so the list cannot go stale.
All runs use compiled bytecode, which both sides have on their second run; the first run of the app is given apart.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from bench.machine import machine, write
from tests.acceptance.stack import Stack, ask, deployments
from tests.app_imports import APP_SETTINGS, loaded_modules, third_party_imports

ROUNDS = 15
LIMIT_RATIO = 1.25
MEASURE = """
import resource, sys
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = cpu()
for name in sys.argv[1:]:
    __import__(name)
print((cpu() - before) * 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(modules: list[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """CPU milliseconds to import the modules in a fresh process, and its largest resident size in MiB."""
    output = subprocess.run(
        [sys.executable, "-c", MEASURE, *modules], env=environment, capture_output=True, text=True, check=True
    ).stdout
    milliseconds, mebibytes = output.split()
    return float(milliseconds), float(mebibytes)


def imports(folder: Path) -> dict[str, Any]:
    """Both arms, taking turns."""
    environment = {**os.environ, **APP_SETTINGS, "PYTHONPYCACHEPREFIX": str(folder), "PYTHONPATH": "."}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    arms = {"sdks": sorted(third_party_imports(loaded_modules())), "app": ["function_app"], "python": []}
    measure(arms["sdks"], environment)
    uncompiled, _ = measure(arms["app"], environment)
    taken: dict[str, list[tuple[float, float]]] = {arm: [] for arm in arms}
    for _ in range(ROUNDS):
        for arm, modules in arms.items():
            taken[arm].append(measure(modules, environment))
    cpu = {arm: [milliseconds for milliseconds, _ in values] for arm, values in taken.items()}
    ratios = [mine / theirs for mine, theirs in zip(cpu["app"], cpu["sdks"], strict=True)]
    return {
        "sdks": arms["sdks"],
        "cpu_ms": {arm: round(statistics.median(values), 1) for arm, values in cpu.items()},
        "ratio": round(statistics.median(ratios), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "limit_ratio": LIMIT_RATIO,
        "app_first_run_after_deployment_cpu_ms": round(uncompiled, 1),
        "memory_mib": {arm: round(statistics.median(size for _, size in values), 1) for arm, values in taken.items()},
    }


def idle(folder: Path) -> dict[str, Any]:
    """Memory of a real instance: started, and after its first and its hundredth turn."""
    stack = Stack(
        folder,
        models=deployments(count=1, answer_tokens=12),
        settings={"SPILLWAY_KNOWLEDGE_ENABLED": "false", "SPILLWAY_SWEEP_SCHEDULE": "0 0 0 1 1 *"},
        host_options=("--instances", "http=1"),
    ).start()
    try:
        process = psutil.Process(stack.parts["app"].ready["instances"][0]["pid"])
        sizes = {"started": _size(process)}
        with stack.client() as client:
            for turns in (1, 99):
                for _ in range(turns):
                    ask(client)
                sizes[f"after_{'one_turn' if turns == 1 else '100_turns'}"] = _size(process)
        return sizes
    finally:
        stack.stop()


def _size(process: psutil.Process) -> dict[str, float]:
    memory = process.memory_full_info()
    return {"resident_mib": round(memory.rss / 2**20, 1), "unshared_mib": round(memory.uss / 2**20, 1)}


def run() -> dict[str, Any]:
    """Imports, then memory."""
    description = machine()
    with tempfile.TemporaryDirectory() as folder:
        result: dict[str, Any] = {
            "machine": description,
            "rounds": ROUNDS,
            "conditions": "fresh processes, interleaved, CPU time of the process; one instance for HTTP, telemetry off",
            "import": imports(Path(folder) / "bytecode"),
            "instance": idle(Path(folder)),
        }
    write("cold", result)
    print(json.dumps(result["import"]["cpu_ms"]), "ratio", result["import"]["ratio"])
    return result
