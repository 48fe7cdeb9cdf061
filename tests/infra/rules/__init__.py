"""What Azure, azd and the app expect of the deployment: one rule a function, each gives its findings."""

from collections.abc import Iterable

from tests.infra.bicep.syntax import BicepError
from tests.infra.rules import (
    alerts,
    azd,
    database,
    identity,
    messaging,
    models,
    names,
    networks,
    outputs,
    package,
    platform,
    security,
    settings,
    versions,
)
from tests.infra.rules.project import Finding, Project, Rule

RULES: tuple[Rule, ...] = (
    *alerts.RULES,
    *azd.RULES,
    *database.RULES,
    *identity.RULES,
    *messaging.RULES,
    *models.RULES,
    *names.RULES,
    *networks.RULES,
    *outputs.RULES,
    *package.RULES,
    *platform.RULES,
    *security.RULES,
    *settings.RULES,
    *versions.RULES,
)


def findings(project: Project, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Everything that the rules find; nothing when the deployment is sound.

    When the templates cannot be evaluated there is one finding, of the rule `it_evaluates`.
    """
    if faults := project.faults():
        return [Finding("it_evaluates", fault) for fault in faults]
    return [Finding(rule.__name__, what) for rule in rules for what in _applied(rule, project)]


def _applied(rule: Rule, project: Project) -> list[str]:
    """What a rule finds; a resource without the shape that a rule expects is a finding too."""
    try:
        return list(rule(project))
    except (AttributeError, BicepError, IndexError, KeyError, TypeError, ValueError) as error:
        return [f"cannot be applied: {type(error).__name__}: {error}"]
