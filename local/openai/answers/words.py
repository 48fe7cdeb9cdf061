"""Words, light stems and sentences of plain text."""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9À-Þ])|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|approx|etc|no|vs|mr|mrs|ms|dr|st|inc|ltd)|\b[A-Z])\.$", re.IGNORECASE)
_STOPWORDS = (
    "many much any every give want need like know think there's okay ok "
    "a about after all also am an and any are as at be because been before being but by can could did do "
    "does doing for from further get got had has have having he her here hers him his how i if in into "
    "is it its itself just let me more most my myself no nor not of off on once only or other our ours "
    "out over own please same she should so some such tell than that the their theirs them then there "
    "these they this those through to too under until up us very was we were what when where which while "
    "who whom why will with would you your yours i'm i've i'd i'll it's don't doesn't didn't can't "
    "what's you're there's that's "
)
STOPWORDS = frozenset(_STOPWORDS.split())
_MOST_CHARACTERS = 64


def split(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower().replace("’", "'"))


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word without its commonest English endings: `returns`, `returned` and `returning` meet."""
    word = word.removesuffix("'s")
    if len(word) <= 3 or not word.isalpha():
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + instead
            break
    else:
        if word.endswith("es") and word[-3] in "sxzh" and len(word) > 4:
            word = word[:-2]
        elif word.endswith("s") and word[-2] not in "su":
            word = word[:-1]
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "lse":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order; of overlong words the beginning counts."""
    return [stem(word[:_MOST_CHARACTERS]) for word in split(text) if word not in STOPWORDS]


def sentences(text: str) -> list[str]:
    """Splits a text into sentences; an abbreviation does not end one, a line break does."""
    found: list[list[str]] = []
    for part in filter(None, map(str.strip, _SENTENCE_END.split(text))):
        if found and _ABBREVIATION.search(found[-1][-1][-_MOST_CHARACTERS:]):
            found[-1].append(part)
        else:
            found.append([part])
    return [" ".join(parts) for parts in found]
