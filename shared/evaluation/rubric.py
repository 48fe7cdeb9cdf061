"""Rubrics: what a judge is told, as versioned text files in `rubrics/`."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.evaluation.errors import RubricError

FOLDER = Path(__file__).with_name("rubrics")
_HEADER_END = "---\n"


@dataclass(frozen=True, slots=True)
class Rubric:
    """One rubric. The version includes a digest of the text, so that an edit never hides behind an old number."""

    rubric_id: str
    version: str
    inputs: tuple[str, ...]
    """The parts of item and answer that the judge sees: question, answer, reference, context."""
    text: str


@cache
def load_rubric(name: str, folder: Path = FOLDER) -> Rubric:
    """Read `<name>.txt`: a header of `field: value` lines (id, version, inputs), a line `---`, the text.

    Raises:
        RubricError: the file is missing or malformed.
    """
    path = folder / f"{name}.txt"
    if not path.is_file():
        raise RubricError(f"there is no rubric {path}")
    head, found, text = path.read_text(encoding="utf-8").partition(_HEADER_END)
    if not found or not text.strip():
        raise RubricError(f"{path.name}: expected a header, a line of three dashes and the rubric's text")
    header = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    if missing := {"id", "version", "inputs"} - header.keys():
        raise RubricError(f"{path.name}: the header lacks {', '.join(sorted(missing))}")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    inputs = tuple(part.strip() for part in header["inputs"].split(","))
    return Rubric(header["id"], f"{header['version']}+{digest}", inputs, text.strip())
