"""Builds the package that is deployed, as `azd deploy` does: the project without what `.funcignore` names.

`python -m infra.package dist/spillway.zip`. Azure installs `requirements.txt` when it takes the package, so that no
library is in it.
"""

import argparse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pathspec import PathSpec

from infra.hooks.console import say

ROOT = Path(__file__).resolve().parents[1]
# A fixed time: the same files make the same package.
_TIME = (2020, 1, 1, 0, 0, 0)


def files(project: Path = ROOT) -> Iterator[Path]:
    """The files of the package, relative to the project, in order."""
    lines = (project / ".funcignore").read_text(encoding="utf-8").splitlines()
    ignored = PathSpec.from_lines("gitignore", lines)
    yield from _below(project, project, ignored)


def _below(project: Path, folder: Path, ignored: "PathSpec[Any]") -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(project)
        if ignored.match_file(name.as_posix() + ("/" if path.is_dir() else "")):
            continue
        if path.is_dir():
            yield from _below(project, path, ignored)
        else:
            yield name


def build(target: Path, project: Path = ROOT) -> int:
    """Writes the package and returns its size in bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files(project):
            entry = zipfile.ZipInfo(name.as_posix(), _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (project / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return target.stat().st_size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Builds the package that is deployed.")
    parser.add_argument("package", type=Path, help="zip file to write, such as dist/spillway.zip")
    package = parser.parse_args().package
    say(f"{package}: {build(package):,} bytes")
