"""Whether the answer to one question answers another: what a similarity of vectors cannot tell."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from shared.policies import question_words as words

MOST_CHARACTERS = 600
"""A longer text is no question that others ask in almost the same words."""
TOKEN = re.compile(r"(?<!\w)-?\d[\d.,]*\d|(?<!\w)-\d|\w+(?:[-']\w+)*|[^\s\w.,;:!?'\"()\[\]/–—-]")


@dataclass(frozen=True, slots=True)
class Sense:
    """What a question says, as far as words tell.

    Attributes:
        content: Words that are no fillers, in order, in one form each.
        numbers: Everything with a digit in it, and number words.
        names: Words that are capitalised although no sentence begins there, in small letters.
        negations: How many words deny.
        limits: Words that narrow or widen: only, except, before, more.
        questions: What is asked for: who, when, how many.
        modals: Can, must, should, will, and whether it is past.
        persons: Of whom it speaks, in order; a question of the speaker alone has none.
    """

    content: tuple[str, ...]
    numbers: Counter[str]
    names: frozenset[str]
    negations: int
    limits: Counter[str]
    questions: frozenset[str]
    modals: frozenset[str]
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two questions are the same, and why not: names of guards, the surest first."""

    same: bool
    reasons: tuple[str, ...] = ()


def compare(asked: str, known: str) -> Comparison:
    """Whether the answer to `known` may be given to `asked`, when their vectors already say that they are near.

    Guards in this order: `long`, `empty`, `numbers`, `negation`, `names`, `limits`, `question`, `modality`, `person`,
    `words` (content on one side that the other has not), `order` (the same content in another order). Symmetric, and
    true for a question and itself unless it is too long or says nothing.
    """
    if max(len(asked), len(known)) > MOST_CHARACTERS:
        return Comparison(False, ("long",))
    mine, other = sense(asked), sense(known)
    if not mine.content or not other.content:
        return Comparison(False, ("empty",))
    differs = {
        "numbers": mine.numbers != other.numbers,
        "negation": mine.negations != other.negations,
        "names": not _names_agree(mine, other),
        "limits": mine.limits != other.limits,
        "question": mine.questions != other.questions,
        "modality": mine.modals != other.modals,
        "person": mine.persons != other.persons,
        "words": Counter(mine.content) != Counter(other.content),
        "order": Counter(mine.content) == Counter(other.content) and mine.content != other.content,
    }
    reasons = tuple(name for name, true in differs.items() if true)
    return Comparison(not reasons, reasons)


@lru_cache(maxsize=2048)
def sense(text: str) -> Sense:
    """Reads a question."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").strip()
    names = _names(plain)
    found = [_form(token) for token in TOKEN.findall(_prepared(plain, names))]
    asked = frozenset(word for word in found if word in words.QUESTIONS)
    modals = frozenset(words.MODALS[word] for word in found if word in words.MODALS)
    persons = tuple(words.PERSONS[word] for word in found if word in words.PERSONS)
    content = [word for word in found if _is_content(word)]
    return Sense(
        # What is the price and how much does it cost: the price is said twice.
        content=tuple(word for place, word in enumerate(content) if word != "price" or "price" not in content[:place]),
        numbers=Counter(word for word in found if any(character.isdigit() for character in word)),
        names=names,
        negations=sum(word in words.NEGATIONS for word in found),
        limits=Counter(word for word in found if word in words.LIMITS),
        questions=asked,
        # How can I and how do I ask for the same.
        modals=modals - {"can"} if asked else modals,
        persons=() if set(persons) <= {"first"} else persons,
    )


def _is_content(word: str) -> bool:
    known = words.FILLERS | words.NEGATIONS | words.LIMITS | words.MODALS.keys() | words.PERSONS.keys()
    return word not in known and word not in {"what", "how"}


def _prepared(plain: str, names: frozenset[str]) -> str:
    """Small letters, one space between words, no politeness around it, common phrases in one form."""
    text = re.sub(r"\s+", " ", plain.casefold())
    # US and us are two things: what is written like a name and reads like a filler stays apart.
    for name in sorted(names & _ORDINARY):
        text = re.sub(rf"\b{re.escape(name)}\b", f"{name}\u02b9", text)
    for pattern, instead in words.CONTRACTIONS:
        text = re.sub(pattern, instead, text)
    text = re.sub(r"(?<=[^\W\d_])-(?=[^\W\d_])", " ", text)
    text = re.sub(r"[\s.?!,;:]+$", "", text)
    for _ in range(3):
        before = text
        for pattern in words.PREAMBLES:
            text = re.sub(pattern, "", text).strip(" ,.!?;:-")
        if text == before:
            break
    for pattern, instead in words.PHRASES:
        text = re.sub(pattern, instead, text)
    return text


def _form(word: str) -> str:
    """One form for a word: numbers in digits, plurals in the singular, synonyms by the commoner word."""
    if word in words.NUMBERS:
        return words.NUMBERS[word]
    if any(character.isdigit() for character in word):
        return word.replace(",", "").rstrip(".")
    if word in words.SYNONYMS:
        return words.SYNONYMS[word]
    if word in _ORDINARY:
        return word
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return words.SYNONYMS.get(word, word)


def _names(plain: str) -> frozenset[str]:
    """Words in capitals inside a sentence; in a text that is all capitals none can be told."""
    letters = [character for character in plain if character.isalpha()]
    if letters and sum(character.isupper() for character in letters) > 0.6 * len(letters):
        return frozenset()
    found = set[str]()
    for sentence in re.split(r"[.!?]+\s+", plain):
        tokens = re.findall(r"[^\W\d_]+(?:[-'][^\W\d_]+)*", sentence)
        for place, token in enumerate(tokens):
            capital = token[0].isupper() and place > 0 and token.split("'")[0].casefold() not in _PLAIN
            if capital or (len(token) > 1 and token.isupper()):
                found.add(token.casefold())
    return frozenset(found)


def _names_agree(mine: Sense, other: Sense) -> bool:
    """Each name is a word of the other question too, however that one writes it."""
    return {_form(name) for name in mine.names} <= _said(other) and {_form(name) for name in other.names} <= _said(mine)


def _said(of: Sense) -> set[str]:
    return {word.rstrip("\u02b9") for word in of.content} | {_form(name) for name in of.names}


_ORDINARY = (
    words.FILLERS | words.NEGATIONS | words.LIMITS | words.QUESTIONS | words.MODALS.keys() | words.PERSONS.keys()
)
_PLAIN = _ORDINARY | words.SYNONYMS.keys()
"""Capitals make no names of these."""
