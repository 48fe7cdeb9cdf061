"""The two things an evaluator may call: a chat model and an embedder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict


class Message(TypedDict):
    """One chat message."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer of a chat model with the tokens it was billed for."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0


class ChatModel(Protocol):
    """A model that answers a conversation.

    An exception may carry `retry_after_seconds`; it is then honoured before the next try.
    """

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_output_tokens: int,
        response_format: Mapping[str, Any] | None,
    ) -> Completion:
        """Answer `messages`; `response_format` is the OpenAI field of that name."""
        ...


class Embedder(Protocol):
    """A model that turns texts into vectors of one length."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return one vector per text, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model in US dollars per million tokens."""

    input_usd: float = 0.0
    output_usd: float = 0.0

    def cost_usd(self, input_tokens: int, output_tokens: int) -> float:
        """The price of one call."""
        return (input_tokens * self.input_usd + output_tokens * self.output_usd) / 1_000_000
