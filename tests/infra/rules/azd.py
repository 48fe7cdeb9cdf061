"""azd: the project file, the parameter file and the tags by which it finds what it made."""

import json
import re
from collections.abc import Iterator

from tests.infra.bicep.parameters import ALWAYS, REFERENCE, read_profile
from tests.infra.bicep.template import declarations
from tests.infra.rules.project import Project, Rule

TAGLESS = re.compile(
    r".*/(containers|blobServices|queues|sqlDatabases|sqlRoleAssignments|deployments|raiPolicies|config"
    r"|basicPublishingCredentialsPolicies|roleAssignments|diagnosticSettings|privateDnsZoneGroups|apis|operations"
    r"|policies|budgets)"
)
"""Resources that take no tags: children and extensions."""


def resources_carry_the_environment(project: Project) -> Iterator[str]:
    for scenario, resource in project.created():
        if not TAGLESS.fullmatch(resource.kind) and resource.body.get("tags", {}).get("azd-env-name") != "demo":
            yield f"{scenario}: {resource.kind} {resource.name} has no tag azd-env-name"


def the_app_is_found_by_azd(project: Project) -> Iterator[str]:
    text = (project.folder / "azure.yaml").read_text()
    services = re.findall(r"(?m)^services:\n  (\w+):\n((?:    .*\n)+)", text)
    for scenario, site in project.resources("Microsoft.Web/sites"):
        name = site.body.get("tags", {}).get("azd-service-name")
        if name not in {service for service, _ in services}:
            yield f"{scenario}: azd looks for a service of {[each for each, _ in services]} and the app says {name}"
    for service, body in services:
        wanted = ("host: function", "language: python", "project: .")
        yield from (f"service {service} lacks {line}" for line in wanted if line not in body)
    if re.search(r"(?m)^name: [a-z0-9][-a-z0-9]*$", text) is None:
        yield "azure.yaml has no valid name"


def hooks_exist(project: Project) -> Iterator[str]:
    text = (project.folder / "azure.yaml").read_text()
    modules = set(re.findall(r"python3? -m ([\w.]+)", text))
    for hook in ("preprovision", "postprovision", "postdeploy"):
        if f"infra.hooks.{hook}" not in modules or f"  {hook}:" not in text:
            yield f"azure.yaml does not run the hook {hook}"
    for module in sorted(modules):
        if not (project.folder / f"{module.replace('.', '/')}.py").is_file():
            yield f"azure.yaml runs {module}, which is not there"


def parameters_are_complete(project: Project) -> Iterator[str]:
    given = json.loads((project.infra / "main.parameters.json").read_text())["parameters"]
    main = project.infra / "main.bicep"
    wanted = {entry.name for entry in declarations(main.read_bytes(), main.name) if entry.what == "parameter"}
    for name in sorted(wanted ^ set(given)):
        yield f"{name} is {'not in the parameter file' if name in wanted else 'no parameter'}"


def profiles_set_what_is_read(project: Project) -> Iterator[str]:
    read = {name for name, _ in REFERENCE.findall((project.infra / "main.parameters.json").read_text())}
    for path in sorted((project.infra / "profiles").glob("*.env")):
        for name in read_profile(path):
            if name not in read:
                yield f"{path.name} sets {name}, which no parameter reads"


def variables_have_defaults(project: Project) -> Iterator[str]:
    text = (project.infra / "main.parameters.json").read_text()
    for name in re.findall(r"\$\{(\w+)\}", text):
        if name not in ALWAYS:
            yield f"azd would ask for {name}"


RULES: tuple[Rule, ...] = (
    resources_carry_the_environment,
    the_app_is_found_by_azd,
    hooks_exist,
    parameters_are_complete,
    profiles_set_what_is_read,
    variables_have_defaults,
)
