"""Before provisioning: what is made, what is checked, and what the person is told."""

import hashlib
from typing import Any

import pytest

from infra.hooks import postprovision, preprovision
from infra.hooks.quota import Need, needs, shortages
from tests.infra.conftest import Tools

HOME = {"AZURE_LOCATION": "swedencentral"}
ENOUGH = {"OpenAI__GlobalStandard__gpt_5_mini": (1000, 0), "OpenAI__GlobalStandard__text_embedding_3_small": (350, 250)}


def saved(tools: Tools) -> dict[str, str]:
    words = [line.split() for line in tools.asked("azd")]
    assert all(line[:2] == ["env", "set"] for line in words)
    return {line[2]: line[3] for line in words}


def test_a_first_run_makes_a_key_and_gives_azure_its_hash_only(
    tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.quota(**ENOUGH)
    assert preprovision.main(HOME) == 0
    values = saved(tools)
    key = values["SPILLWAY_OPERATOR_KEY"]
    assert len(key) >= 40
    assert values["SPILLWAY_OPERATOR_KEY_SHA256"] == hashlib.sha256(key.encode()).hexdigest()
    assert capsys.readouterr().out.count(key) == 1
    assert values["SPILLWAY_BUDGET_START"].endswith("-01")


def test_a_second_run_keeps_the_key_and_shows_it_no_more(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.quota(**ENOUGH)
    known = {
        "SPILLWAY_OPERATOR_KEY": "kept",
        "SPILLWAY_OPERATOR_KEY_SHA256": hashlib.sha256(b"kept").hexdigest(),
        "SPILLWAY_BUDGET_START": "2026-11-01",
    }
    assert preprovision.main({**HOME, **known}) == 0
    assert saved(tools) == {}
    assert "kept" not in capsys.readouterr().out


def test_another_key_replaces_the_hash(tools: Tools) -> None:
    tools.quota(**ENOUGH)
    assert preprovision.main({**HOME, "SPILLWAY_OPERATOR_KEY": "new", "SPILLWAY_OPERATOR_KEY_SHA256": "0" * 64}) == 0
    assert saved(tools)["SPILLWAY_OPERATOR_KEY_SHA256"] == hashlib.sha256(b"new").hexdigest()


def test_a_build_machine_makes_no_key(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    assert preprovision.main({**HOME, "CI": "true"}) == 1
    assert "Set the secret SPILLWAY_OPERATOR_KEY" in capsys.readouterr().out
    assert saved(tools) == {}


def test_entra_without_a_client_id_is_refused(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    assert preprovision.main({**HOME, "SPILLWAY_AUTH": "entra"}) == 1
    assert "SPILLWAY_ENTRA_CLIENT_ID" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SPILLWAY_MONTHLY_BUDGET": "100"}, "SPILLWAY_ALERT_EMAIL"),
        ({"SPILLWAY_API_MANAGEMENT": "true"}, "SPILLWAY_ALERT_EMAIL"),
        ({"SPILLWAY_ZONE_REDUNDANT": "true", "SPILLWAY_ALWAYS_READY_HTTP": "1"}, "SPILLWAY_ALWAYS_READY_HTTP"),
    ],
)
def test_variables_that_do_not_go_together_are_named(
    tools: Tools, capsys: pytest.CaptureFixture[str], given: dict[str, str], named: str
) -> None:
    assert preprovision.main({**HOME, **given}) == 1
    assert named in capsys.readouterr().out
    assert saved(tools) == {}


def test_too_little_quota_stops_with_the_numbers_and_the_file_to_change(
    tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.quota(**{**ENOUGH, "OpenAI__GlobalStandard__gpt_5_mini": (120, 90)})
    assert preprovision.main(HOME) == 1
    told = capsys.readouterr().out
    assert "swedencentral: OpenAI.GlobalStandard.gpt-5-mini needs 100, free are 30" in told
    assert "infra/models/dev.json" in told


def test_quota_that_the_deployments_themselves_use_does_not_stop_a_later_run(tools: Tools) -> None:
    tools.quota(**{**ENOUGH, "OpenAI__GlobalStandard__gpt_5_mini": (120, 100)})
    assert preprovision.main({**HOME, "SPILLWAY_URL": "https://func.azurewebsites.net"}) == 0


def test_a_quota_of_unknown_name_is_said_and_does_not_stop(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.quota(OpenAI__GlobalStandard__text_embedding_3_small=(350, 0))
    assert preprovision.main(HOME) == 0
    assert "no quota called OpenAI.GlobalStandard.gpt-5-mini" in capsys.readouterr().out


def test_without_the_azure_cli_the_check_is_left_out_and_said(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    (tools.folder / "az").unlink()
    assert preprovision.main(HOME) == 0
    assert "The model quota was not checked" in capsys.readouterr().out


def test_a_failing_cli_is_quoted(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.install("az", "#!/bin/sh\necho 'ERROR: Please run az login.' >&2\nexit 1\n")
    assert preprovision.main(HOME) == 1
    assert "Please run az login." in capsys.readouterr().out


def test_needs_are_added_up_by_region_and_own_endpoints_need_nothing() -> None:
    table: list[dict[str, Any]] = [
        {"model": "m", "region": "East US 2", "capacity": 10},
        {"model": "m", "region": "eastus2", "capacity": 5},
        {"model": "m", "capacity": 1, "sku": "Standard"},
        {"model": "m", "endpoint": "https://x/"},
    ]
    assert needs(table, "swedencentral") == [
        Need("eastus2", "OpenAI.GlobalStandard.m", 15),
        Need("swedencentral", "OpenAI.Standard.m", 1),
    ]


def test_hyphens_that_azure_leaves_out_of_quota_names_do_not_matter() -> None:
    usage = {"name": {"value": "OpenAI.GlobalStandard.gpt4.1-mini"}, "limit": 10, "currentValue": 0}
    assert not list(shortages([Need("r", "OpenAI.GlobalStandard.gpt-4.1-mini", 10)], {"r": [usage]}))


def test_roles_are_waited_for_once(tools: Tools) -> None:
    waited: list[float] = []
    known = {"AZURE_IDENTITY_PRINCIPAL_ID": "principal"}
    assert postprovision.main(known, waited.append) == 0
    assert waited == [postprovision.PROPAGATION_SECONDS]
    assert postprovision.main({**known, **saved(tools)}, waited.append) == 0
    assert len(waited) == 1


def test_without_an_identity_nothing_is_waited_for() -> None:
    waited: list[float] = []
    assert postprovision.main({}, waited.append) == 1
    assert waited == []
