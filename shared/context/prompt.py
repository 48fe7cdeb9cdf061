"""The prompt of a turn: instructions, sources, the conversation so far, the question."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from shared.ports import Passage, TokenCounter
from shared.turns import Message, Turn

TOKENS_PER_MESSAGE = 3
TOKENS_PER_REPLY = 3


@cache
def default_instructions() -> str:
    """The instructions that are used when no setting gives others."""
    return (Path(__file__).parent / "prompts" / "answer.txt").read_text(encoding="utf-8").strip()


def assemble(
    turn: Turn,
    *,
    instructions: str,
    passages: Sequence[Passage],
    history: Sequence[Message],
    facts: Sequence[str] = (),
) -> list[Message]:
    """The messages for the model. What stays the same comes first, so that the service can cache the prefix."""
    if not turn.use_context:
        return list(turn.messages)
    sources = "\n\n".join(f"[source: {passage.id}] {passage.title}\n{passage.text}" for passage in passages)
    system = "\n\n".join([instructions, *facts, "Sources:", sources or "(none found)"])
    return [Message("system", system), *history, *turn.messages]


def prompt_tokens(messages: Sequence[Message], counter: TokenCounter) -> int:
    """Tokens of a prompt: the texts, the framing of each message and of the reply.

    Source: OpenAI cookbook, "How to count tokens with tiktoken", framing of 3 a message and 3 for the reply.
    """
    texts = sum(counter.count(message.content) + counter.count(message.role) for message in messages)
    return texts + TOKENS_PER_MESSAGE * len(messages) + TOKENS_PER_REPLY


def cited(answer: str, passages: Sequence[Passage]) -> list[dict[str, str]]:
    """The passages that the answer names, in order of first mention: id, title and url when there is one."""
    found = [(answer.find(f"[{passage.id}]"), passage) for passage in passages]
    named = sorted((entry for entry in found if entry[0] >= 0), key=lambda entry: entry[0])
    return [
        {"id": passage.id, "title": passage.title, **({"url": passage.url} if passage.url else {})}
        for _, passage in named
    ]
