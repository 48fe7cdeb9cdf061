"""Grades made of shared words and numbers."""

import re
from collections.abc import Mapping
from typing import Any

WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]{3,}")
CITATION = re.compile(r"\[[\w.-]+\]")
SENTENCE = re.compile(r"(?<=[.!?])\s+")
STOP_WORDS = """
the and for are you your can with that this from has have not but was will our its all any how what when which does did
who why where there their they them than then into out per der die das und ist
"""
STOP = frozenset(STOP_WORDS.split())
UNKNOWN = re.compile(r"\b(?:i don't know|i do not know|found nothing|not covered)\b", re.IGNORECASE)
SUPPORTED_SHARE = 0.6


def words(text: str) -> set[str]:
    """The words that carry meaning, cut to a stem, and the numbers."""
    found = WORD.findall(CITATION.sub(" ", text).casefold())
    return {word if word[0].isdigit() else word[:6] for word in found if word not in STOP}


def overlap(part: set[str], whole: set[str]) -> float:
    """How much of `part` is in `whole`."""
    return len(part & whole) / len(part) if part else 0.0


def step(share: float, *bounds: float) -> int:
    """A grade from 1 to 5: one more for each bound that is reached."""
    return 1 + sum(share >= bound for bound in bounds)


def similarity(material: Mapping[str, Any]) -> tuple[int, str]:
    """How much of the reference the answer says; a number of the reference that is missing weighs most."""
    reference, answer = words(material["reference"]), words(material["answer"])
    missing = sorted(word for word in reference - answer if word[0].isdigit())
    grade = step(overlap(reference, answer), 0.15, 0.3, 0.4, 0.6)
    if missing:
        return min(grade, 3), f"{len(missing)} numbers of the reference are missing"
    return grade, f"{overlap(reference, answer):.0%} of the reference's words are in the answer"


def relevance(material: Mapping[str, Any]) -> tuple[int, str]:
    """Whether the answer takes the question up."""
    if UNKNOWN.search(material["answer"]):
        return 2, "the answer says that it does not know"
    share = overlap(words(material["question"]), words(material["answer"]))
    return max(3, step(share, 0.0, 0.0, 0.15, 0.5)), f"{share:.0%} of the question's words are in the answer"


def claims(material: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each sentence of the answer with whether its words are in the sources."""
    known = words(" ".join(material["context"]))
    sentences = [part for part in SENTENCE.split(material["answer"]) if words(part)]
    return [
        {
            "claim": sentence[:200],
            "verdict": "supported" if overlap(words(sentence), known) >= SUPPORTED_SHARE else "not_found",
        }
        for sentence in sentences[:40]
    ]


def prose(material: Mapping[str, Any]) -> tuple[int, str]:
    """Whether the text looks like sentences."""
    text = material["answer"].strip()
    whole = text.endswith((".", "!", "?", "]", ")")) and text[:1].isupper()
    return (4 if whole else 3), "whole sentences" if whole else "no whole sentences"
