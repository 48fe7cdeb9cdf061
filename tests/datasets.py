"""Public evaluation data beside the project; tests that need it are skipped with a clear message where it is absent."""

import os
from pathlib import Path

import pytest

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "datasets"


def folder(name: str) -> Path:
    """The folder of a data set, or a skipped test."""
    found = Path(os.environ.get("SPILLWAY_DATASETS", DEFAULT)) / name
    if not found.is_dir():
        pytest.skip(f"the data set {name} is not at {found}; set SPILLWAY_DATASETS to the folder that holds it")
    return found
