"""Vectors of questions: of a real model when `make bench-cache` has installed it, else of the local service."""

import json
import subprocess
from collections.abc import Sequence

import numpy as np

from local.openai.vectors import embed
from tests.processes import ROOT

PYTHON = ROOT / ".venv-embeddings" / "bin" / "python"
SCRIPT = ROOT / "bench" / "caching" / "minilm.py"
LIMIT_SECONDS = 600


class Vectors:
    """Unit vectors by text, and whose they are."""

    def __init__(self, model: str, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        """Takes one vector a text, in order."""
        self.model = model
        self._places = {text: place for place, text in enumerate(texts)}
        self._matrix = np.asarray(vectors, dtype=np.float64)

    def similarity(self, one: str, other: str) -> float:
        """Cosine."""
        return float(self._matrix[self._places[one]] @ self._matrix[self._places[other]])

    def nearest(self, text: str, known: Sequence[str], count: int) -> list[tuple[str, float]]:
        """The nearest of the known texts, best first."""
        similar = self._matrix[[self._places[one] for one in known]] @ self._matrix[self._places[text]]
        return [(known[place], float(similar[place])) for place in np.argsort(-similar)[:count]]


def embedded(texts: Sequence[str]) -> Vectors:
    """Vectors of all texts."""
    each = list(dict.fromkeys(texts))
    if not PYTHON.exists():
        print("without .venv-embeddings (make bench-cache): vectors of the local service, which knows words only")
        return Vectors("local service, hashed words", each, [embed(text) for text in each])
    done = subprocess.run(
        [str(PYTHON), str(SCRIPT)],
        input=json.dumps(each),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
    )
    return Vectors("all-MiniLM-L6-v2, int8", each, json.loads(done.stdout))
