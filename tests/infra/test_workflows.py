"""What runs on build machines: no stored credentials, and nothing called that is not there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.bicep.parameters import read_profile
from tests.infra.conftest import Tools
from tests.infra.rules.project import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPT = ROOT / "infra" / "hooks" / "set_up_environment.sh"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_scripts_that_exist_and_actions_with_a_version(path: Path) -> None:
    text = path.read_text()
    for script in re.findall(r"\bbash (\S+)", text):
        assert (ROOT / script).is_file()
    for action in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action)
    assert "permissions:" in text


def test_the_deployment_signs_in_with_a_federated_identity_and_stores_no_credential() -> None:
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    assert "id-token: write" in text
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"SPILLWAY_OPERATOR_KEY"}
    assert text.index("azd provision --preview") < text.index("azd provision --no-prompt")


def set_up(tools: Tools, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "AZURE_LOCATION": "swedencentral", "AZURE_SUBSCRIPTION_ID": "sub", **variables}
    return subprocess.run(["bash", str(SCRIPT)], env=given, capture_output=True, text=True, check=False, timeout=20)


@pytest.mark.parametrize("profile", ["dev", "prod"])
def test_the_environment_has_its_profile_and_the_given_key(tools: Tools, profile: str) -> None:
    assert set_up(tools, AZURE_ENV_NAME=profile, SPILLWAY_OPERATOR_KEY="given").returncode == 0
    asked = tools.asked("azd")
    assert asked[0] == f"env new {profile} --location swedencentral --subscription sub --no-prompt"
    for name, value in read_profile(ROOT / "infra" / "profiles" / f"{profile}.env").items():
        assert f"env set {name} {value}" in asked
    assert "env set SPILLWAY_OPERATOR_KEY given" in asked
    assert asked[-1].startswith("env refresh")


def test_an_environment_without_a_profile_is_refused(tools: Tools) -> None:
    assert set_up(tools, AZURE_ENV_NAME="staging").returncode != 0


def test_a_missing_variable_is_named(tools: Tools) -> None:
    done = set_up(tools)
    assert done.returncode != 0
    assert "AZURE_ENV_NAME" in done.stderr
