"""The package that is deployed: the app and nothing else."""

from collections.abc import Iterator
from fnmatch import fnmatch

from tests.infra.rules.project import ROOT, Project, Rule

NEEDED = frozenset({"function_app.py", "functions", "host.json", "requirements.txt", "shared", "web"})


def the_package_holds_the_app_and_nothing_else(project: Project) -> Iterator[str]:
    lines = [line.strip() for line in (project.folder / ".funcignore").read_text().splitlines()]
    patterns = [line for line in lines if line and not line.startswith("#")]
    present = {path.name for path in ROOT.iterdir()}
    kept = {name for name in present if not any(_matches(name, pattern) for pattern in patterns)}
    yield from (f"{name} would be deployed" for name in sorted(kept - NEEDED))
    yield from (f"{name} would not be deployed" for name in sorted(NEEDED & present - kept))


def _matches(name: str, pattern: str) -> bool:
    is_folder = (ROOT / name).is_dir()
    return fnmatch(name, pattern.rstrip("/")) and (is_folder or not pattern.endswith("/"))


RULES: tuple[Rule, ...] = (the_package_holds_the_app_and_nothing_else,)
