"""Multiple-choice items: letters, the prompt, and the seeded shuffle of choices."""

import random
from collections import defaultdict
from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from shared.evaluation.records import Item

INSTRUCTION = "Reply with the letter of the right choice and nothing else."


class Question(NamedTuple):
    """Published choices and the index of the right one."""

    choices: Sequence[str]
    answer: int


class Lettered(NamedTuple):
    """Choices as they are shown, and the letter of the right one."""

    choices: tuple[str, ...]
    target: str


def lettered(questions: Sequence[Question], seed: int | None) -> list[Lettered]:
    """Put the choices of a whole set in a seeded order; without a seed the published order is kept.

    The right choices are spread evenly: among the questions with k choices each letter is right in one of k, give or
    take one question. So a model that always says the same letter scores 1/k, whatever the seed.
    """
    if seed is None:
        return [Lettered(tuple(choices), ascii_uppercase[answer]) for choices, answer in questions]
    generator = random.Random(seed)  # noqa: S311 - must be reproducible, guards nothing
    sizes = defaultdict(list)
    for index, question in enumerate(questions):
        sizes[len(question.choices)].append(index)
    places: dict[int, int] = {}
    for size, indexes in sorted(sizes.items()):
        generator.shuffle(indexes)
        places |= {index: place % size for place, index in enumerate(indexes)}
    return [_arranged(question, places[index], generator) for index, question in enumerate(questions)]


def _arranged(question: Question, place: int, generator: random.Random) -> Lettered:
    shown = [choice for index, choice in enumerate(question.choices) if index != question.answer]
    generator.shuffle(shown)
    shown.insert(place, question.choices[question.answer])
    return Lettered(tuple(shown), ascii_uppercase[place])


def multiple_choice_prompt(item: Item) -> str:
    """The text a model is asked: context, question, lettered choices and how to reply."""
    choices = (f"{letter}. {text}" for letter, text in zip(ascii_uppercase, item.choices, strict=False))
    return "\n".join([*item.context, item.question, "", *choices, "", INSTRUCTION])
