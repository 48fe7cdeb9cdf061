"""The deployment keeps every rule, and every rule sees the mistakes it is there for."""

from pathlib import Path

import pytest

from tests.infra.bicep.syntax import faults, second_opinion, tree
from tests.infra.mutations import MUTATIONS, Mutation, copied
from tests.infra.rules import RULES, findings, identity
from tests.infra.rules.project import ROOT, Project, Rule

TEMPLATES = sorted((ROOT / "infra").rglob("*.bicep"))


@pytest.fixture(scope="module")
def project() -> Project:
    return Project()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_two_grammars_can_read_the_template(path: Path) -> None:
    assert list(faults(tree(path.read_bytes()))) == []
    second_opinion(path)


def test_the_templates_evaluate_in_every_scenario(project: Project) -> None:
    assert project.faults() == []
    assert set(project.scenarios) == {"plain", "dev", "prod", "own", "everything"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_deployment_keeps_the_rule(rule: Rule, project: Project) -> None:
    assert list(rule(project)) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_the_mistake_is_found_by_its_rule(mutation: Mutation, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    mutation.apply(folder)
    named = [rule for rule in RULES if rule.__name__ == mutation.rule]
    assert {finding.rule for finding in findings(Project(folder), named)} == {mutation.rule}


def test_an_sdk_call_of_unknown_needs_is_found(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(identity.CALLS, "patch_item")
    assert list(identity.sdk_calls_are_in_the_table(project)) == [
        "it is not known which role the call patch_item needs"
    ]


def test_every_rule_is_tried_by_a_mistake() -> None:
    tried = {mutation.rule for mutation in MUTATIONS} | {identity.sdk_calls_are_in_the_table.__name__}
    assert tried - {"it_evaluates"} == {rule.__name__ for rule in RULES}


def test_an_unchanged_copy_has_no_findings(tmp_path: Path) -> None:
    assert findings(Project(copied(tmp_path))) == []
