"""Outputs: variables of the azd environment, in plain text on somebody's disk."""

import re
from collections.abc import Iterator

from tests.infra.bicep.syntax import parsed, parts, text
from tests.infra.rules.project import Project, Rule

SECRET = re.compile(
    r"listKeys|listSecrets|listConnectionStrings|ConnectionString|sharedKey|password|apiKey|\bkey\b", re.IGNORECASE
)
SECRET_VALUE = re.compile(r"InstrumentationKey=|AccountKey=|SharedAccessKey=|[0-9a-f]{64}")


def outputs_hold_no_secret(project: Project) -> Iterator[str]:
    for path in sorted(project.infra.rglob("*.bicep")):
        for node in parts(parsed(path)):
            if node.type == "output_declaration" and SECRET.search(text(node)):
                yield f"{path.name}:{node.start_point.row + 1}: {text(node)}"
    for scenario, result in project.scenarios.items():
        for name, value in result.outputs.items():
            if SECRET_VALUE.search(str(value)):
                yield f"{scenario}: {name} gives away {str(value)[:20]}"


def outputs_are_variables(project: Project) -> Iterator[str]:
    for name, value in project.scenarios["plain"].outputs.items():
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) is None:
            yield f"{name} is no name for a variable"
        if not isinstance(value, str):
            yield f"{name} is {type(value).__name__} and would become JSON in a variable"


RULES: tuple[Rule, ...] = (outputs_hold_no_secret, outputs_are_variables)
