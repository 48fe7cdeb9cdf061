"""English words that carry the sense of a question although they hardly change its vector, and those that carry none.

A word that is in none of these lists counts as content. So a question in another language is compared by all its words:
the guard then lets fewer answers be used again, never more.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTRACTIONS: Final = (
    (r"\bcan'?t\b", "can not"),
    (r"\bwon'?t\b", "will not"),
    (r"\b(is|are|was|were|do|does|did|have|has|had|would|could|should|must|need)n'?t\b", r"\1 not"),
    (r"\bcannot\b", "can not"),
    (r"'ll\b", " will"),
    (r"'d\b", " would"),
    (r"'(?:s|re|ve|m)\b", " "),
)
PREAMBLES: Final = (
    r"^(?:hi|hello|hey|good (?:morning|afternoon|evening))\b(?: there)?",
    r"^(?:please )?(?:can|could|would|will) you (?:please )?(?:tell|show|explain|let)(?: to)?(?: me| us)?(?: know)?\b",
    r"^i(?: just)? (?:want|need|wish|would like) to (?:know|ask|find out|understand)\b",
    r"^(?:i was wondering|i wonder|do you know|tell me|please tell me)\b",
    r"\b(?:thanks|thank you)(?: very much| so much| in advance)?$",
)
"""What politeness puts around a question."""
PHRASES: Final = (
    (r"^what (?:do|does|will|would) (.*?) cost\b", r"what price \1"),
    (r"\bhow much (?:do|does|is|are|will|would)\b", "what price"),
    (r"\b(?:send|sending|give|giving) (?:it |them )?back\b", "return"),
    (r"\bmoney back\b", "refund"),
    (r"\b(?:have|has|had) (?:got )?to\b", "must"),
    (r"\b(?:need|needs) to\b", "must"),
    (r"\b(?:is|are|am|be|been) (?:allowed|able|permitted) to\b", "can"),
)
SYNONYMS: Final = {
    "cost": "price",
    "costs": "price",
    "prices": "price",
    "purchase": "buy",
    "purchasing": "buy",
    "telephone": "phone",
    "could": "can",
    "may": "can",
    "shipping": "delivery",
    "shipment": "delivery",
    "cancelling": "cancel",
    "resetting": "reset",
    "getting": "get",
}
_NUMERALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
NUMBERS: Final = {word: str(value) for value, word in enumerate(_NUMERALS.split())} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "seventy": "70",
    "eighty": "80",
    "ninety": "90",
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
    "once": "1",
    "twice": "2",
    "double": "2",
    "half": "0.5",
    "first": "1st",
    "second": "2nd",
    "third": "3rd",
    "fourth": "4th",
    "fifth": "5th",
}
FILLERS: Final = _words(
    "a an the please just also really actually currently is are am be been being do does of to for in on at it its "
    "this that these those there here so and then well um ok okay kindly hi hello hey thanks thank i"
)
"""Words that may be there or not."""
NEGATIONS: Final = _words(
    "not no never none nothing nobody neither nor without hardly barely cant dont wont isnt doesnt didnt havent"
)
LIMITS: Final = _words(
    "only except unless but instead until before after since within both either all every each any some always again "
    "still yet already anymore more less most least over under above below between per if when"
)
QUESTIONS: Final = _words("who whom whose what when where why which how many much long often far old")
MODALS: Final = {
    "can": "can",
    "must": "must",
    "should": "should",
    "ought": "should",
    "will": "will",
    "would": "would",
    "shall": "will",
    "did": "past",
    "was": "past",
    "were": "past",
    "had": "past",
}
PERSONS: Final = {
    "me": "first",
    "my": "first",
    "mine": "first",
    "we": "first",
    "us": "first",
    "our": "first",
    "ours": "first",
    "you": "second",
    "your": "second",
    "yours": "second",
    "he": "third",
    "she": "third",
    "they": "third",
    "him": "third",
    "her": "third",
    "his": "third",
    "them": "third",
    "their": "third",
    "theirs": "third",
}
