"""`python3 local/install.py VENV REQUIREMENTS`: a virtual environment and what is to be in it, showing how far it is.

Runs on the machine's own Python before anything is installed. Older Pythons than Spillway needs have to be able to read
this file, so that it can say that they are too old.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

NEEDS = (3, 11)
EVERY_SECONDS = 5.0
TAIL_LINES = 15
CHECK = "import sys, pip; sys.exit(sys.prefix == sys.base_prefix)"
FAILED = (
    "The packages could not be installed; pip's last words are above. This step needs a network, later ones do not."
)
USAGE = "usage: python3 local/install.py VENV REQUIREMENTS"


def main() -> None:
    """The command line."""
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(f"{USAGE}\n\nMakes the virtual environment VENV when it is not there, and installs REQUIREMENTS into it.")
        return
    if len(sys.argv) != 3:
        sys.exit(USAGE)
    if sys.version_info < NEEDS:
        sys.exit(
            f"Spillway needs Python {NEEDS[0]}.{NEEDS[1]} or later, and {sys.executable} is {sys.version.split()[0]}. "
            "Name another one, such as: make run PYTHON=python3.12"
        )
    folder, requirements = Path(sys.argv[1]), sys.argv[2]
    if not works(folder / "bin" / "python"):
        make(folder)
    sys.exit(install(folder / "bin" / "python", requirements))


def works(python: Path) -> bool:
    """Whether the environment has a Python with pip; one that was left half made has not."""
    try:
        return subprocess.run([str(python), "-c", CHECK], capture_output=True, check=False).returncode == 0  # noqa: S603  our own path
    except OSError:
        return False


def make(folder: Path) -> None:
    """Makes the environment anew."""
    print(f"Making {folder} ...", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own path
    if done.returncode:
        sys.exit(
            f"{(done.stdout + done.stderr).strip()}\n{folder} could not be made. "
            "Debian and Ubuntu have a package for it: sudo apt install python3-venv"
        )


def install(python: Path, requirements: str) -> int:
    """Installs with pip and says how far it is; pip's exit code."""
    began = time.monotonic()
    said: list[str] = []
    done = threading.Event()
    quiet = ["--disable-pip-version-check", "--progress-bar", "off"]
    print(f"Installing {requirements}; the first time takes about a minute ...", flush=True)
    with subprocess.Popen(  # noqa: S603  our own path
        [str(python), "-m", "pip", "install", *quiet, "-r", requirements],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        threading.Thread(target=tell, args=(said, began, done), daemon=True).start()
        said.extend(line.rstrip() for line in pip.stdout or ())
        done.set()
    if pip.returncode:
        print("\n".join(said[-TAIL_LINES:]), file=sys.stderr)
        print(FAILED, file=sys.stderr)
    else:
        print(f"Installed in {time.monotonic() - began:.0f} s.", flush=True)
    return pip.returncode


def tell(said: list[str], began: float, done: threading.Event) -> None:
    """Says every few seconds what pip is doing, also while pip itself is silent."""
    while not done.wait(EVERY_SECONDS):
        packages = sum(line.startswith(("Collecting ", "Requirement already satisfied: ")) for line in said)
        unpacking = any(line.startswith("Installing collected packages") for line in said)
        doing = f"unpacking {packages} packages" if unpacking else f"{packages} packages found"
        print(f"  {doing} ({time.monotonic() - began:.0f} s) ...", flush=True)


if __name__ == "__main__":
    main()
