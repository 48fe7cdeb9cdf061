"""500 real customer questions through the queued path on two host processes: 500 answers, none twice."""

import asyncio
import csv
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.acceptance.stack import USER, Stack, deployments
from tests.datasets import folder

QUESTIONS = 500
AT_ONCE = 40


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    # With two, a late first token on a busy machine is a reason for a second call; test_hedging counts those.
    stack = Stack(tmp_path, models=deployments(count=1, between_tokens_ms=1), host_options=("--instances", "2"))
    try:
        yield stack.start()
    finally:
        stack.stop()


def questions() -> list[str]:
    with (folder("banking77") / "test.csv").open(newline="", encoding="utf-8") as file:
        rows = [row["text"].strip() for row in csv.DictReader(file)]
    return list(dict.fromkeys(rows))[:QUESTIONS]


async def ask_all(url: str, texts: list[str]) -> list[dict[str, object]]:
    slots = asyncio.Semaphore(AT_ONCE)
    async with httpx2.AsyncClient(base_url=url, headers={"x-functions-key": USER}, timeout=120) as client:

        async def ask(text: str) -> dict[str, object]:
            async with slots:
                reply = await client.post("/api/chat", json={"message": text, "lane": "standard"})
                assert reply.status_code == 200, reply.text
                answer: dict[str, object] = reply.json()
                return answer

        return list(await asyncio.gather(*(ask(text) for text in texts)))


@pytest.mark.datasets
@pytest.mark.timeout(300)
def test_500_real_questions_are_each_answered_exactly_once(stack: Stack) -> None:
    texts = questions()
    answers = asyncio.run(ask_all(stack.url, texts))
    stored = stack.turns()
    asked = Counter(call["question_sha256"] for call in stack.calls() if call["outcome"] == "succeeded")

    assert len(texts) == QUESTIONS
    assert {answer["state"] for answer in answers} == {"succeeded"}
    assert {answer["path"] for answer in answers} == {"queued"}
    assert all(answer["answer"] for answer in answers)
    assert len({answer["turn_id"] for answer in answers}) == QUESTIONS
    assert len(stored) == QUESTIONS
    assert {turn["state"] for turn in stored} == {"succeeded"}
    assert {turn["run"] for turn in stored} == {1}
    assert asked == Counter(hashlib.sha256(text.encode()).hexdigest() for text in texts)
