"""Real questions, and pairs made of them by one change."""

import csv
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path

from tests.datasets import DEFAULT

SEED = 77
AUXILIARY = re.compile(r"\b(is|are|was|can|could|will|should|must|does|do|did|has|have)\b", re.IGNORECASE)
NUMBER = re.compile(r"\d+")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b")
POLITE = ("Hi, {}", "{} Thanks!", "Can you tell me: {}", "Please: {}", "{} please")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions; `same` when the answer to one is one to the other."""

    kind: str
    one: str
    other: str
    same: bool = False


def customers(count: int) -> list[tuple[str, str]]:
    """Questions of bank customers and their intents, no text twice, in an order that is always the same."""
    rows = {row["text"].strip(): row["category"] for name in ("train", "test") for row in _rows("banking77", name)}
    found = sorted(rows.items())
    random.Random(SEED).shuffle(found)
    return found[:count]


def made(count: int) -> list[Pair]:
    """At most `count` pairs of each kind."""
    draw = random.Random(SEED)
    questions = [text for text, _ in customers(20_000)] + [row["Question"] for row in _rows("truthfulqa", "TruthfulQA")]
    draw.shuffle(questions)
    names = sorted({name for text in questions for name in NAME.findall(text)})
    pairs: list[Pair] = []
    for text in questions:
        if found := AUXILIARY.search(text):
            pairs.append(Pair("negation", text, f"{text[: found.end()]} not{text[found.end() :]}"))
        if NUMBER.search(text):
            pairs.append(Pair("number", text, NUMBER.sub(lambda match: str(int(match[0]) + 1), text, count=1)))
        if found := NAME.search(text):
            other = draw.choice([name for name in names if name != found[0]])
            pairs.append(Pair("name", text, text[: found.start()] + other + text[found.end() :]))
        pairs.append(Pair("politeness", text, draw.choice(POLITE).format(text), same=True))
    kinds = sorted({pair.kind for pair in pairs})
    return [pair for kind in kinds for pair in [one for one in pairs if one.kind == kind][:count]]


def _rows(folder: str, name: str) -> list[dict[str, str]]:
    path = Path(os.environ.get("SPILLWAY_DATASETS", DEFAULT)) / folder / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; set SPILLWAY_DATASETS to the folder of the public data sets")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
