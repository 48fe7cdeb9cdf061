"""Passages in a prompt: blocks that open with `[source: ID] Title` and end at a blank line."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from local.openai.answers.words import content_stems, sentences

_BLOCK = re.compile(r"^\[source: ?([^\]\n]{1,200})\][ \t]*([^\n]*)((?:\n(?!\[source:)[^\n]*\S[^\n]*)*)", re.MULTILINE)
MOST_PASSAGES = 100
MOST_SENTENCES = 2_000
_REMEMBERED_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and how often each stem is in it."""

    text: str
    stems: Counter[str]
    length: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage; `id` is what an answer cites."""

    id: str
    title: str
    title_stems: frozenset[str]
    sentences: tuple[Sentence, ...]


def find(text: str) -> tuple[list[Passage], str]:
    """The passages of a text, and the text without them."""
    if "[source:" not in text:
        return [], text
    found = []
    for match in _BLOCK.finditer(text):
        read = _remembered if len(match[0]) <= _REMEMBERED_CHARACTERS else _passage
        found.append(read(match[1].strip(), match[2].strip(), match[3].strip()))
        if len(found) == MOST_PASSAGES:
            break
    return found, _BLOCK.sub("", text)


def _passage(source_id: str, title: str, body: str) -> Passage:
    analysed = []
    for text in sentences(body or title)[:MOST_SENTENCES]:
        stems = content_stems(text)
        analysed.append(Sentence(text, Counter(stems), len(stems)))
    return Passage(source_id, title, frozenset(content_stems(title)), tuple(analysed))


_remembered = lru_cache(maxsize=2_048)(_passage)
