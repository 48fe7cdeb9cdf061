"""What the documents say can be done can be done; reference pages are neither short nor stale."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.api.openapi import EVENTS
from shared.lanes import Lane, queue_of

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "evals" / "README.md", *DOCS.glob("*.md")])
SHELL = re.compile(r"^```(?:sh|bash|shell)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
ELSEWHERE = {"az", "azd", "curl", "git", "grep", "while", "do", "done", "printf", "export", "cp", "docker"}
"""Commands that are not ours to check."""
INTERNAL = {"bench.clients", "bench.caching.minilm", "bench.lab.arms", "tests.acceptance", "tests.contract"} | {
    "tests.context_turns",
    "tests.fuzz.outcome",
    "local.install",
}
"""Programs that other programs start and no person does."""


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def commands(page: Path) -> list[list[str]]:
    """The commands of a page's shell blocks, as words."""
    found: list[list[str]] = []
    for block in SHELL.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words:
                end = next((n for n, word in enumerate(words) if word in {"&&", "|", ";"}), len(words))
                command = [word for word in words[:end] if not re.fullmatch(r"[A-Z_]+=.*", word)]
                found += [command] if command else []
                words = words[end + 1 :]
    return found


def module_of(command: list[str]) -> str | None:
    python = re.fullmatch(r"(.*/)?python3?", command[0])
    return command[2] if python and command[1] == "-m" else None


def programs() -> set[str]:
    """The modules of the tree that are started with python -m."""
    files = (
        path
        for folder in ("bench", "evals", "infra", "local", "shared", "tests")
        for path in (ROOT / folder).rglob("*.py")
    )
    found = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__main__")
        for path in files
        if "node_modules" not in path.parts
        and (
            path.name == "__main__.py"
            or re.search(r'^if __name__ == "__main__"', path.read_text(encoding="utf-8"), re.MULTILINE)
        )
    }
    return {name for name in found if not any(name == inner or name.startswith(f"{inner}.") for inner in INTERNAL)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists(page: Path) -> None:
    for command in commands(page):
        if command[0] == "make":
            assert {word for word in command[1:] if "=" not in word} <= targets(), command
        elif (module := module_of(command)) is not None:
            found = importlib.util.find_spec(module)
            assert found is not None, command
            assert found.submodule_search_locations is None or importlib.util.find_spec(f"{module}.__main__"), command
        elif "/" in command[0] or command[0].endswith(".sh"):
            assert (ROOT / command[0]).exists(), command
        else:
            assert command[0] in ELSEWHERE, command


def test_the_readme_has_commands_to_check() -> None:
    found = commands(ROOT / "README.md")

    assert ["make", "run"] in found
    assert ["azd", "up"] in found
    assert any(module_of(command) for page in PAGES for command in commands(page))


@pytest.mark.parametrize(
    "target", sorted({word for command in commands(ROOT / "README.md") if command[0] == "make" for word in command[1:]})
)
def test_make_knows_how_to_do_what_the_readme_says(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20
    )

    assert done.returncode == 0, done.stderr


def anchors(page: Path) -> set[str]:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    sources = re.findall(r'src="([^"]+)"', text)
    for link in [*LINK.findall(text), *sources]:
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_every_page_is_in_the_index_and_every_page_of_the_index_exists() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    listed = {link.partition("#")[0] for link in LINK.findall(index)}

    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} == {link for link in listed if "/" not in link}


def names(page: str) -> set[str]:
    """What stands in backticks in the first column of a page's tables."""
    rows = re.findall(r"^\| (`[^|]+) \|", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_event_is_in_the_reference_and_nothing_else() -> None:
    assert names("events.md") == set(EVENTS)


def test_every_queue_container_and_timer_is_in_the_reference_and_nothing_else() -> None:
    queues = json.loads((ROOT / "local" / "queues.json").read_text())["UserConfig"]["Namespaces"][0]["Queues"]
    containers = json.loads((ROOT / "local" / "containers.json").read_text())["containers"]
    triggers = [path.read_text(encoding="utf-8") for path in (ROOT / "functions").glob("*.py")]
    timers = {re.search(r'function_name\("(\w+)"\)', text)[1] for text in triggers if "timer_trigger" in text}  # type: ignore[index]
    page = (DOCS / "queues.md").read_text(encoding="utf-8")

    assert names("queues.md") == {queue["Name"] for queue in queues} | {one["name"] for one in containers} | timers
    assert all(queue_of(lane) in names("queues.md") for lane in Lane)
    for container in containers:
        keys = ", ".join(f"`{key}`" for key in container["partitionKey"])
        assert f"| `{container['name']}` | {keys} |" in page


def test_every_target_and_program_is_in_the_reference_and_nothing_else() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    before, _, modules = page.partition("Modules are run")
    told = {
        name
        for row in re.findall(r"^\| [a-z ]+ \| (.+) \|$", before, flags=re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    }

    assert told == targets()
    assert {name for name in names("commands.md") if name in modules} == programs()


def test_every_test_that_runs_on_the_deployed_python_is_there() -> None:
    script = (ROOT / "tests" / "deployed" / "run.sh").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:smoke|full|skip)=\((.*?)\)$", script, flags=re.MULTILINE | re.DOTALL)
    paths = {path for one in lists for path in re.findall(r"tests/[\w./]+", one)}

    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_target_says_what_it_does() -> None:
    lines = re.findall(r"^[a-z-]+:.*$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert [line for line in lines if "## " not in line] == []


def test_every_program_explains_itself_and_does_nothing_else(tmp_path: Path) -> None:
    def ask(module: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        said = done.stdout.startswith("usage: ") and not done.returncode and not done.stderr
        return "" if said else f"{module}: {done.stdout}{done.stderr}"

    with ThreadPoolExecutor(2) as pool:
        assert [fault for fault in pool.map(ask, sorted(programs())) if fault] == []
    assert list(tmp_path.iterdir()) == []
