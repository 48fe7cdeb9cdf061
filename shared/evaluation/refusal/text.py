"""Prepares an answer for the rules: one spelling, no quoted passages, single sentences."""

import re
import unicodedata

_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼʹ´`′＇‛ꞌ"), "'")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)
_CONTRACTIONS = (
    (re.compile(r"\b(?:cannot|can't|cant|can 't)\b"), "can not"),
    (re.compile(r"\b(?:won't|wont)\b"), "will not"),
    (re.compile(r"\bshan't\b"), "shall not"),
    (re.compile(r"\bain't\b"), "am not"),
    (re.compile(r"\b(do|does|did|is|are|was|were|could|would|should|have|has|must|need)n't\b"), r"\1 not"),
    (re.compile(r"\b(do|does|did|is|are|could|would|should)nt\b"), r"\1 not"),
    (re.compile(r"\b(?:i'm|im)\b"), "i am"),
    (re.compile(r"\b(we|they|you)'re\b"), r"\1 are"),
    (re.compile(r"\b(i|we|you)'d\b"), r"\1 would"),
    (re.compile(r"\b(i|we|you|that|it)'ll\b"), r"\1 will"),
    (re.compile(r"\b(i|we|you)'ve\b"), r"\1 have"),
    (re.compile(r"\b(that|it|this|there|here|what)'s\b"), r"\1 is"),
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_QUOTES = re.compile(
    r'"[^"]{2,600}"|“[^”]{2,600}”|„[^“”]{2,600}[“”]|«[^»]{2,600}»|'
    r"(?<!\w)'[^'\n]{12,600}?'(?!\w)"
)
_BLOCK_QUOTE = re.compile(r"^\s*>.*$", re.MULTILINE)
_DRAFT = re.compile(
    r"^\W*(?:subject:.*|(?:dear|hi|hello|hey) [^\n]{1,60},)\s*$.*?"
    r"^\W*(?:(?:best|kind|warm|many)(?: regards| wishes| thanks)?|regards|sincerely|yours(?: \w+)?|cheers|"
    r"thanks|thank you)\b.*$",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")
_LEADING_MARK = re.compile(r"^(?:[-*•#>]+|\(?\d{1,2}[.)])\s*")


def normalise(text: str) -> str:
    """Lower case, straight apostrophes, contractions written out, no markdown emphasis."""
    # Quote marks are compared later, so NFKC (which keeps them) is enough.
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).translate(_APOSTROPHES).casefold()
    plain = re.sub(r"\s*[—–]+\s*", " - ", re.sub(r"\*+|__+", "", plain))
    for pattern, replacement in _CONTRACTIONS:
        plain = pattern.sub(replacement, plain)
    return plain


def without_quotations(text: str, *, drafts_wanted: bool = False) -> str:
    """The assistant's own words: no code, quotations, block quotes and drafted letters.

    An answer that is one quotation as a whole is the assistant's own after all, and so is an answer that is one letter,
    unless a letter was asked for.
    """
    stripped = _CODE.sub(" ", text.replace("’", "'").replace("‘", "'"))
    for pattern in (_DRAFT, _BLOCK_QUOTE, _QUOTES):
        shorter = pattern.sub(" … ", stripped)
        if re.search(r"\w", shorter) or (pattern is _DRAFT and drafts_wanted):
            stripped = shorter
    return stripped


def sentences(text: str) -> list[str]:
    """Sentences and list entries, without their marks, in order."""
    parts = (_LEADING_MARK.sub("", part.strip()).strip() for part in _SENTENCE_END.split(text))
    return [re.sub(r"\s+", " ", part) for part in parts if re.search(r"\w", part)]
