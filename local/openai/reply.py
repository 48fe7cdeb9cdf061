"""From a chat request to the pieces of its answer: composed, stopped, cut to length, split into tokens."""

import hashlib
from dataclasses import dataclass

from local.openai.answers.compose import answer_text
from local.openai.answers.schema import arguments_json
from local.openai.chat_request import ChatRequest
from local.openai.config import Deployment
from local.openai.tokens import Tokenizer

_PER_MESSAGE_TOKENS = 3
_PER_NAME_TOKENS = 1
_PRIMING_TOKENS = 3
_FILLER = (
    " We keep this answer going so that it has the length that was asked for, and every word of it is one token, like"
    " the words of a longer reply that goes on about the order and the return and the time it takes."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, ready to be sent.

    Attributes:
        pieces: Text and tokens of each piece, in order.
        tool_name: The function to call when the pieces are its arguments, else empty.
    """

    pieces: tuple[tuple[str, int], ...]
    finish_reason: str
    tool_name: str = ""

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(text for text, _ in self.pieces)


def prompt_tokens(tokenizer: Tokenizer, request: ChatRequest) -> int:
    """Counts the prompt as the chat format does: text, role and name of each message, and the tools."""
    total = _PRIMING_TOKENS + (tokenizer.count(request.tools_text) if request.tools_text else 0)
    for message in request.messages:
        total += _PER_MESSAGE_TOKENS + 1 + tokenizer.count(message.text)
        if message.name:
            total += _PER_NAME_TOKENS + tokenizer.count(message.name)
        if message.calls:
            total += tokenizer.count(message.calls)
    return total


def question_digest(request: ChatRequest) -> bytes:
    """SHA-256 of the last user message's text."""
    return hashlib.sha256(request.question.encode()).digest()


def build(tokenizer: Tokenizer, deployment: Deployment, request: ChatRequest, *, most_tokens: int, seed: int) -> Reply:
    """Composes the answer to a request.

    Args:
        tokenizer: For lengths and pieces.
        deployment: Whose model answers.
        request: A valid request.
        most_tokens: The most tokens it may have.
        seed: The same seed gives the same answer.
    """
    if request.forced_tool is not None:
        text = arguments_json(request.forced_tool.parameters, request.messages)
        tokens = tokenizer.encode(text)
        reason = "stop" if request.named_tool else "tool_calls"
        return _limited(tokenizer, tokens, most_tokens, reason, request.forced_tool.name)
    text = _stopped(answer_text(request, seed), request.stop)
    tokens = tokenizer.encode(text)
    if deployment.answer_tokens is not None and request.schema is None:
        tokens = _exactly(tokenizer, tokens, deployment.answer_tokens)
    return _limited(tokenizer, tokens, most_tokens, "stop")


def _stopped(text: str, stops: tuple[str, ...]) -> str:
    ends = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _exactly(tokenizer: Tokenizer, tokens: list[int], length: int) -> list[int]:
    filler = tokenizer.encode(_FILLER)
    while len(tokens) < length:
        tokens = tokens + filler
    return tokens[:length]


def _limited(tokenizer: Tokenizer, tokens: list[int], most: int, reason: str, tool_name: str = "") -> Reply:
    if len(tokens) > most:
        tokens, reason = tokens[:most], "length"
    return Reply(tuple(tokenizer.pieces(tokens)), reason, tool_name)
