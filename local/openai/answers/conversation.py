"""What a conversation asks now, and what its earlier turns add to that."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local.openai.answers import passages
from local.openai.answers.passages import Passage
from local.openai.answers.words import content_stems, split
from local.openai.chat_request import Message

_LABEL = re.compile(r"^(?:user |customer )?(?:question|query|request)[ \t]{0,8}:", re.IGNORECASE | re.MULTILINE)
_POINTER_WORDS = "it its they them their that this those these one ones he she there same else also "
_POINTERS = frozenset(_POINTER_WORDS.split())
_MOST_QUESTION_CHARACTERS = 4_000
_MOST_TERMS = 64
_FEW_WORDS = 3
_EARLIER_WEIGHT = 0.4
_RELATED_WEIGHT = 0.8
_RELATED_WORDS = (
    "heavy weigh weight kg grams",
    "cost price expensive cheap fee charge euro eur usd dollars",
    "long duration days hours weeks minutes",
    "big large size dimensions cm tall wide",
    "people persons sleeps capacity",
    "shipping delivery deliver ship dispatch",
    "refund money reimburse",
    "broken defective faulty damaged warranty",
    "cancel cancellation",
    "contact phone email telephone reach",
    "open opening hours",
    "buy purchase order",
)
_RELATED: dict[str, frozenset[str]] = {}
for _group in _RELATED_WORDS:
    _stems = frozenset(content_stems(_group))
    for _one in _stems:
        _RELATED[_one] = _RELATED.get(_one, frozenset()) | _stems


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the weight of each of its terms.

    Attributes:
        text: The question as the user wrote it.
        weights: Stem to weight: 1 for its own terms, less for related words and for what an earlier turn
            adds to a follow-up.
        own: The stems of the question itself.
    """

    text: str
    weights: dict[str, float]
    own: frozenset[str]

    def covers(self, stem: str, found: frozenset[str]) -> bool:
        """Whether a stem of the question, or a related one, is among those found."""
        return stem in found or not found.isdisjoint(_RELATED.get(stem, frozenset()))


def read(messages: Sequence[Message]) -> tuple[Question, list[Passage]]:
    """Finds the question and all passages of a conversation."""
    found: list[Passage] = []
    asked: list[str] = []
    for message in messages:
        here, rest = passages.find(message.text)
        found += here
        if message.role == "user":
            asked.append(_own_words(rest))
    text = asked[-1] if asked else ""
    own = content_stems(text)[:_MOST_TERMS]
    weights = dict.fromkeys(own, 1.0)
    for stem in own:
        for related in _RELATED.get(stem, ()):
            weights.setdefault(related, _RELATED_WEIGHT)
    words = split(text)
    if len(own) <= _FEW_WORDS or _POINTERS.intersection(words):
        for earlier in asked[-3:-1]:
            for stem in content_stems(earlier)[:_MOST_TERMS]:
                weights.setdefault(stem, _EARLIER_WEIGHT)
    return Question(text, weights, frozenset(own)), found[: passages.MOST_PASSAGES]


def _own_words(text: str) -> str:
    """What the user asks, without labels and without the instructions around it."""
    labels = list(_LABEL.finditer(text))
    if labels:
        text = text[labels[-1].end() :]
    return text.strip()[-_MOST_QUESTION_CHARACTERS:]
