"""Verdicts for prompts that ask for a JSON object with a numeric `score` and a `reason`.

The score follows from the text alone: how much of the answer the reference or context carries, or how much of the
question the answer takes up. It is no model's judgement, but it moves the right way when an answer gets worse.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local.openai.answers import passages
from local.openai.answers.words import content_stems
from local.openai.chat_request import Message

_RANGE = re.compile(
    r"(?<![\d.])(\d{1,3}(?:\.\d+)?)\s*(?:-|–|—|to|and|\.\.\.?|through)\s*(\d{1,3}(?:\.\d+)?)(?![\d.]*\d)", re.IGNORECASE
)
_LABEL = re.compile(
    r"^[#*<\[ \t]{0,8}((?:user |customer |model |candidate |expected |ground |reference |retrieved )?"
    r"(?:question|query|input|answer|response|output|prediction|reference|truth|context|contexts|sources|passages|"
    r"documents|conversation))[ \t]{0,8}[\]>*]{0,4}[ \t]{0,8}(?::|>|\n)[*]{0,2}",
    re.IGNORECASE | re.MULTILINE,
)
_PARTS = {
    "question": ("question", "query", "input", "conversation"),
    "answer": ("answer", "response", "output", "prediction"),
    "context": ("context", "contexts", "sources", "passages", "documents"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A score on the scale that was asked for, and why."""

    score: float
    reason: str


def asks_for_verdict(messages: Sequence[Message]) -> bool:
    """Whether a system message wants a JSON object with a score and a reason."""
    text = " ".join(message.text.lower() for message in messages if message.role in {"system", "developer"})
    return "json" in text and "score" in text and ("reason" in text or "explanation" in text)


def verdict(messages: Sequence[Message]) -> Verdict:
    """Scores the material in the user messages on the scale that the system message states."""
    rubric = " ".join(message.text for message in messages if message.role in {"system", "developer"})
    material = "\n".join(message.text for message in messages if message.role == "user")
    parts = _parts(material)
    share, reason = _grade(rubric.lower(), parts)
    low, high = _scale(rubric)
    score = low + share * (high - low)
    return Verdict(round(score, 2) if high - low <= 1 else float(round(score)), reason)


def _scale(rubric: str) -> tuple[float, float]:
    """The first range of numbers in the rubric, 1 to 5 without one."""
    for match in _RANGE.finditer(rubric):
        low, high = float(match[1]), float(match[2])
        if low < high <= 100:
            return low, high
    return 1.0, 5.0


def _parts(material: str) -> dict[str, list[str]]:
    """Stems of each labelled part; passages count as context."""
    found, _ = passages.find(material)
    stems: dict[str, list[str]] = {name: [] for name in (*_PARTS, "reference")}
    labels = list(_LABEL.finditer(material))
    for index, label in enumerate(labels):
        end = labels[index + 1].start() if index + 1 < len(labels) else len(material)
        stems[_part(label[1].lower())] += content_stems(material[label.end() : end])
    for passage in found:
        stems["context"] += [stem for sentence in passage.sentences for stem in sentence.stems]
    if not labels:
        stems["answer"] = content_stems(material)
    return stems


def _part(label: str) -> str:
    if label.startswith(("reference", "expected", "ground")) or label == "truth":
        return "reference"
    last = label.rsplit(maxsplit=1)[-1]
    return next(name for name, words in _PARTS.items() if last in words)


def _grade(rubric: str, parts: dict[str, list[str]]) -> tuple[float, str]:
    """A share between 0 and 1 and the sentence that explains it."""
    answer = set(parts["answer"])
    if not answer:
        return 0.0, "There is no answer to judge."
    wants_support = any(word in rubric for word in ("ground", "faithful", "support", "hallucinat"))
    wants_question = any(word in rubric for word in ("relevan", "on topic", "address"))
    if parts["reference"] and not (wants_support and parts["context"]):
        reference = set(parts["reference"])
        both = len(answer & reference)
        share = 2 * both / (len(answer) + len(reference))
        return _stretched(share), f"The answer shares {both} of the reference's {len(reference)} key words."
    if parts["context"] and not wants_question:
        both = len(answer & set(parts["context"]))
        return _stretched(both / len(answer)), f"{both} of the answer's {len(answer)} key words are in the context."
    if parts["question"]:
        question = set(parts["question"])
        both = len(answer & question)
        return _stretched(
            both / len(question)
        ), f"The answer takes up {both} of the question's {len(question)} key words."
    if parts["context"]:
        both = len(answer & set(parts["context"]))
        return _stretched(both / len(answer)), f"{both} of the answer's {len(answer)} key words are in the context."
    varied = len(answer) / max(1, len(parts["answer"]))
    return varied, f"{len(answer)} of the text's {len(parts['answer'])} key words are different ones."


def _stretched(share: float) -> float:
    """Overlap of free text seldom reaches 1: four fifths count as all."""
    return min(1.0, share / 0.8)
