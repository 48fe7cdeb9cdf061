"""Configuration files: the one that ships, and mistakes in others."""

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest

from local.openai.config import DEFAULT_FILE, changed, parse, read_file
from local.openai.fields import FieldError

DOCUMENT: dict[str, Any] = {
    "accounts": [{"name": "a", "region": "eastus"}],
    "deployments": [
        {
            "name": "chat",
            "account": "a",
            "model": "gpt-4o-mini",
            "kind": "chat",
            "tier": "standard",
            "tokens_per_minute": 1_000,
            "requests_per_minute": 60,
        }
    ],
}


def test_the_shipped_file_has_the_deployments_of_the_demo() -> None:
    found = {one.key: (one.tier, one.region, one.model) for one in read_file(DEFAULT_FILE)}
    assert found == {
        "sweden/chat-provisioned": ("provisioned", "swedencentral", "gpt-4o-mini"),
        "sweden/chat-sweden": ("standard", "swedencentral", "gpt-4o-mini"),
        "eastus/chat-eastus": ("standard", "eastus2", "gpt-4o-mini"),
        "sweden/embeddings": ("standard", "swedencentral", "text-embedding-3-small"),
    }


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("tier", "gold", "deployments[0].tier"),
        ("account", "b", "deployments[0].account"),
        ("tokens_per_minute", 0, "deployments[0].tokens_per_minute"),
        ("tokens_per_minute", True, "deployments[0].tokens_per_minute"),
        ("name", "a b", "deployments[0].name"),
        ("latency", {"spread": -1}, "deployments[0].latency.spread"),
        ("latency", {"colour": 1}, "deployments[0].latency.colour"),
        ("answer_tokens", 0, "deployments[0].answer_tokens"),
        ("colour", "red", "deployments[0].colour"),
    ],
)
def test_a_mistake_is_named_by_its_path(name: str, value: Any, path: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["deployments"][0][name] = value
    with pytest.raises(FieldError) as refused:
        parse(document)
    assert refused.value.path == path


def test_one_account_cannot_have_a_deployment_twice_and_two_accounts_can() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["deployments"].append(copy.deepcopy(document["deployments"][0]))
    with pytest.raises(FieldError, match="a/chat twice"):
        parse(document)
    document["accounts"].append({"name": "b", "region": "westus"})
    document["deployments"][1]["account"] = "b"
    assert [one.key for one in parse(document)] == ["a/chat", "b/chat"]


def test_a_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such configuration file"):
        read_file(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{")
    with pytest.raises(ValueError, match=r"broken\.json"):
        read_file(broken)
    broken.write_bytes(orjson.dumps({"deployments": []}))
    with pytest.raises(ValueError, match="at least one deployment"):
        read_file(broken)


def test_a_change_keeps_what_it_does_not_name() -> None:
    (before,) = parse(DOCUMENT)
    after = changed(before, {"tokens_per_minute": 5, "latency": {"spread": 0}, "answer_tokens": 9})
    assert (after.tokens_per_minute, after.requests_per_minute, after.answer_tokens) == (5, 60, 9)
    assert (after.latency.spread, after.latency.between_tokens_ms) == (0.0, before.latency.between_tokens_ms)
    assert changed(after, {"answer_tokens": None}).answer_tokens is None
    assert changed(after, {}) == after


def test_a_change_cannot_move_a_deployment() -> None:
    (before,) = parse(DOCUMENT)
    with pytest.raises(FieldError, match="not known here"):
        changed(before, {"account": "b"})
