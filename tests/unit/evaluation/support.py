"""Stand-ins shared by the evaluation tests."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.evaluation.metered import MeteredModel
from shared.evaluation.model import Completion, Message
from shared.evaluation.records import Answer, Item, Score, State
from shared.evaluation.task import Dataset, Solver

ROOT = Path(__file__).resolve().parents[3]


def datasets_folder() -> Path:
    """The folder of the public data; skips the test when it is not there."""
    folder = Path(os.environ.get("SPILLWAY_DATASETS", ROOT.parent / "shared" / "datasets"))
    if not folder.is_dir():
        pytest.skip(f"no public evaluation data in {folder}: set SPILLWAY_DATASETS to the folder that holds mmlu/ etc.")
    return folder


class ScriptedModel:
    """Replies with a text, raises an exception, or calls a function of the messages; the last entry repeats."""

    def __init__(self, *script: str | Exception | Callable[[Sequence[Message]], str]) -> None:
        self.script = list(script)
        self.calls: list[list[Message]] = []

    async def complete(
        self, messages: Sequence[Message], *, max_output_tokens: int, response_format: Mapping[str, Any] | None
    ) -> Completion:
        self.calls.append(list(messages))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        text = step if isinstance(step, str) else step(messages)
        return Completion(text, input_tokens=100, output_tokens=20)


class RateLimited(Exception):
    retry_after_seconds = 3.0


async def no_sleep(_: float) -> None:
    """A pause that takes no time."""


def judge(*script: str | Exception | Callable[[Sequence[Message]], str], **options: Any) -> MeteredModel:
    return MeteredModel(ScriptedModel(*script), sleep=no_sleep, **options)


def grade(score: int, reason: str = "because") -> str:
    return json.dumps({"score": score, "reason": reason})


def items(count: int, **fields: Any) -> tuple[Item, ...]:
    return tuple(Item(f"i{number}", f"question {number}", **fields) for number in range(count))


def dataset(count: int, **fields: Any) -> Dataset:
    return Dataset("own", "1", items(count, **fields))


def always(text: str) -> Solver:
    async def solve(item: Item) -> Answer:
        return Answer(item.item_id, text)

    return solve


def oracle() -> Solver:
    async def solve(item: Item) -> Answer:
        return Answer(item.item_id, item.target or "")

    return solve


def a_score(number: int, *, passed: bool | None = True, value: float | None = None, **fields: Any) -> Score:
    options: dict[str, Any] = {
        "evaluator": "relevance",
        "version": "1",
        "state": State.SCORED,
        "question": "q",
        "answer": "a",
        **fields,
    }
    return Score(f"i{number}", value=float(bool(passed)) if value is None else value, passed=passed, **options)
