"""What a single sentence of an answer does: decline, hint, reject, turn, redirect or give reasons.

The constructions are data, in `patterns.txt`.
"""

import re
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("patterns.txt")
_SECTION = re.compile(r"^\[([a-z -]+)\]$")


def declines(sentence: str) -> bool:
    """Whether the sentence is a sure sign of a refusal."""
    return _matches("declines", without_lookalikes(sentence))


def without_lookalikes(sentence: str) -> str:
    """The sentence without what looks like a refusal and is none."""
    return _pattern("no-refusal").sub(" ", sentence)


def hints_at_refusal(sentence: str) -> bool:
    """Whether the sentence is a sign of a refusal when nothing else is said."""
    return _matches("hints", without_lookalikes(sentence))


def rejects_the_request(sentence: str) -> bool:
    """Whether the sentence rejects the request as wrong."""
    return _matches("rejects", sentence)


def turns_to_answer(sentence: str) -> bool:
    """Whether the sentence turns from declining to answering."""
    return _matches("turns", sentence)


def redirects(sentence: str) -> bool:
    """Whether the sentence offers something else."""
    return _matches("redirects", sentence)


def gives_reasons(sentence: str) -> bool:
    """Whether the sentence is apology, reason or courtesy."""
    return _matches("reasons", sentence)


def _matches(section: str, sentence: str) -> bool:
    return bool(_pattern(section).search(sentence))


@cache
def _pattern(section: str) -> re.Pattern[str]:
    sections = _sections()
    defined = {name.removeprefix("define "): "".join(lines) for name, lines in sections.items() if "define " in name}
    joined = "|".join(f"(?:{line})" for line in sections[section])
    return re.compile(re.sub(r"<([a-z-]+)>", lambda name: defined[name[1]], joined))


@cache
def _sections() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if header := _SECTION.match(line):
            lines = sections.setdefault(header[1], [])
        elif line and not line.startswith("# "):
            lines.append(line)
    return sections
