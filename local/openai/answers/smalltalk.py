"""Polite answers to greetings, thanks and goodbyes."""

from local.openai.answers.words import split

_GREETING_WORDS = "hello hi hey hiya howdy greetings morning afternoon evening day good there "
_GREETINGS = frozenset(_GREETING_WORDS.split())
_THANKS_WORDS = "thanks thank you cheers much very so a lot many appreciated great perfect ok okay that's all "
_THANKS = frozenset(_THANKS_WORDS.split())
_GOODBYE_WORDS = "bye goodbye see you later good night have a nice day "
_GOODBYES = frozenset(_GOODBYE_WORDS.split())
_MOST_WORDS = 6

_ANSWERS = {
    "greeting": (
        "Hello! How can I help you today?",
        "Hi there! What can I do for you?",
        "Hello, and welcome! What would you like to know?",
    ),
    "thanks": (
        "You're welcome! Is there anything else I can help you with?",
        "My pleasure. Just ask if anything else comes up.",
        "Happy to help! Let me know if you need anything else.",
    ),
    "goodbye": (
        "Goodbye, and have a nice day!",
        "Bye! Come back any time.",
        "See you soon, and thank you for stopping by.",
    ),
}


def reply(text: str, variant: int) -> str | None:
    """A polite answer, None when the text is more than small talk.

    Args:
        text: What the user wrote.
        variant: Chooses among equally good wordings.
    """
    kind = _kind(split(text))
    return None if kind is None else _ANSWERS[kind][variant % len(_ANSWERS[kind])]


def _kind(words: list[str]) -> str | None:
    if not words or len(words) > _MOST_WORDS:
        return None
    given = set(words)
    if given & {"thanks", "thank", "cheers"} and given <= _THANKS | _GREETINGS:
        return "thanks"
    if given & {"bye", "goodbye", "later", "night"} and given <= _GOODBYES | _THANKS:
        return "goodbye"
    if given & {"hello", "hi", "hey", "hiya", "howdy", "greetings", "good"} and given <= _GREETINGS:
        return "greeting"
    return None
