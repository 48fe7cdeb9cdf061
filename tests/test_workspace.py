"""What the editor and the container are told to start is there."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


def read(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def targets_of(command: str) -> set[str]:
    program, *words = command.split()
    assert program == "make", command
    return set(words)


def test_every_task_is_a_target_and_the_one_in_the_background_is_ready_when_the_run_says_so() -> None:
    tasks = {task["label"]: task for task in read(".vscode/tasks.json")["tasks"]}
    said = (ROOT / "local" / "run" / "__main__.py").read_text(encoding="utf-8")
    background = tasks["run"]["problemMatcher"]["background"]

    assert {name for task in tasks.values() for name in targets_of(task["command"])} <= TARGETS
    assert background["beginsPattern"] in said
    assert background["endsPattern"] in said


def test_every_launch_starts_a_module_that_is_there_with_options_it_knows_after_a_task_that_is_there() -> None:
    labels = {task["label"] for task in read(".vscode/tasks.json")["tasks"]}
    options = (ROOT / "local" / "host" / "cli.py").read_text(encoding="utf-8")
    launches = read(".vscode/launch.json")["configurations"]
    for launch in launches:
        assert launch.get("preLaunchTask", "run") in labels
        if launch["request"] == "launch":
            assert importlib.util.find_spec(launch["module"]), launch
        if launch.get("module") == "local.host":
            named = [word for word in launch["args"] if word.startswith("--")]
            assert all(word in options or word == "--port" for word in named), named

    assert {launch.get("module") for launch in launches} >= {"local.host", "local.run"}


def test_the_container_has_what_the_checks_need_and_installs_by_a_target() -> None:
    container = read(".devcontainer/devcontainer.json")
    image = (ROOT / ".devcontainer" / container["build"]["dockerfile"]).read_text(encoding="utf-8")

    assert "FROM node:20-bookworm" in image
    assert {"chromium", "git", "make", "python3", "python3-venv"} <= set(image.split())
    assert targets_of(container["postCreateCommand"]) <= TARGETS
    assert set(read(".vscode/extensions.json")["recommendations"]) == set(
        container["customizations"]["vscode"]["extensions"]
    )
    for settings in (read(".vscode/settings.json"), container["customizations"]["vscode"]["settings"]):
        assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
