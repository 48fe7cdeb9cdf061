"""Multiple choice and classification: which choice did the answer make, and is it right?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from shared.evaluation.records import Answer, Item, Score
from shared.evaluation.scoring import scored

_ALONE = re.compile(r"^\W*([A-Z])\b(?:\W*$|\s*[).:\-–](?!\s*(?:or|and)\b))")
_ANNOUNCED = re.compile(
    r"\b(?:answer|choice|option)(?:\s+(?:is|would be))?\s*[:=]?\s*\**\(?([A-Z])\b(?!')", re.IGNORECASE
)
_BRACKETED = re.compile(r"\(([A-Z])\)|\*\*([A-Z])\b")


def chosen_letter(text: str, choices: Sequence[str]) -> str:
    """The one letter an answer settles on; empty when it settles on none or on several.

    Read in this order: a letter on its own or at the start, an announced letter ("the answer is C"; the last one wins,
    since reasoning comes first), one bracketed letter, the exact text of one choice.
    """
    letters = ascii_uppercase[: len(choices)]
    plain = text.strip()
    if (alone := _ALONE.match(plain)) and alone[1] in letters:
        return str(alone[1])
    announced = [letter.upper() for letter in _ANNOUNCED.findall(plain) if letter in letters + letters.lower()]
    # A lower-case "a" after "answer is" is an article far more often than a choice.
    if announced and not re.search(r"(?:answer|choice|option)(?:\s+is)?\s+a\s+\w", plain):
        return str(announced[-1])
    bracketed = {first or second for first, second in _BRACKETED.findall(plain)} & set(letters)
    if len(bracketed) == 1:
        return str(bracketed.pop())
    told = [letter for letter, choice in zip(letters, choices, strict=False) if _same(plain, choice)]
    return told[0] if len(told) == 1 else ""


def _same(text: str, choice: str) -> bool:
    return text.casefold().strip(" .!\"'") == choice.casefold().strip(" .!\"'")


def chosen_label(text: str, labels: Sequence[str]) -> str:
    """The one label an answer names; the first word counts, then a single mention. Empty when it names several."""
    words = re.findall(r"[a-z]+", text.casefold())
    if words and words[0] in labels:
        return str(words[0])
    named = {label for label in labels if label in words}
    return next(iter(named)) if len(named) == 1 else ""


@dataclass(frozen=True, slots=True)
class ChoiceScorer:
    """1 for the right choice, else 0. A failed or unreadable answer is wrong; it is never left out."""

    labels: tuple[str, ...] = ()
    """The words to choose from; empty for lettered choices."""
    name: str = "choice"
    version: str = "1"

    async def score(self, item: Item, answer: Answer) -> Score:
        """Read the choice and compare it with the target."""
        chosen = ""
        if answer.error is None:
            read = chosen_label if self.labels else chosen_letter
            chosen = read(answer.text, self.labels or item.choices)
        passed = chosen == item.target
        reason = answer.error or (f"chose {chosen}" if chosen else "no readable choice")
        details = {"expected": item.target, "group": item.metadata.get("group", "")}
        label = chosen or ("failed" if answer.error is not None else "unreadable")
        return scored(
            self, item, answer, value=float(passed), passed=passed, label=label, reason=reason, details=details
        )
