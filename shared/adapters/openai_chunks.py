"""From the data of stream events to pieces of an answer: only what is needed is read, what is not known is passed over.

Source: platform.openai.com, API reference, "chat completion chunk object"; learn.microsoft.com, Azure OpenAI content
filter annotations, which come in chunks without choices or without text.
"""

from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from shared.adapters.openai_events import ServerEvent
from shared.ports import Chunk, ModelRefusal
from shared.turns import Usage

DONE = b"[DONE]"


class ChunkReader:
    """Joins the chunks that came together into one piece, and remembers how the stream ended."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.done = False
        self.refusal: ModelRefusal | None = None
        """What ended the stream early. The text before it is the caller's."""

    def read(self, events: Sequence[ServerEvent]) -> Chunk | None:
        """One piece for all of these events; None when they hold nothing of an answer."""
        texts: list[str] = []
        finish_reason: str | None = None
        usage: Usage | None = None
        for event in events:
            if event.data.startswith(DONE):
                self.done = True
                break
            try:
                chunk = self._chunk(event)
                if chunk is None:
                    break
                # The first chunk of the service has no choices, only its filter's view of the prompt.
                if choices := chunk.get("choices"):
                    text, reason = _of_choice(choices[0])
                    if text:
                        texts.append(text)
                    finish_reason = reason or finish_reason
                if counts := chunk.get("usage"):
                    usage = usage_of(counts)
            except (ValueError, TypeError, KeyError, AttributeError):
                self.refusal = ModelRefusal(0, None, "the stream holds something that is no chunk of an answer", {})
                break
        if not texts and finish_reason is None and usage is None:
            return None
        return Chunk("".join(texts), finish_reason, usage, len(texts) or 1)

    def _chunk(self, event: ServerEvent) -> dict[str, Any] | None:
        """The decoded chunk; None when it is an error, which ends the stream."""
        chunk: dict[str, Any] = from_json(event.data)
        error = chunk.get("error")
        if error or event.name == b"error":
            self.refusal = _refusal(error or chunk)
            return None
        return chunk


def _of_choice(choice: dict[str, Any]) -> tuple[str, str | None]:
    """Text and finish reason; text that is no text would be lost, so it is an error."""
    delta = choice.get("delta")
    text = (delta.get("content") or "") if delta else ""
    if not isinstance(text, str):
        raise TypeError("content is no text")
    return text, choice.get("finish_reason")


def usage_of(counts: dict[str, Any]) -> Usage:
    """The tokens of a `usage` object; details are optional."""
    prompt, output = counts.get("prompt_tokens_details"), counts.get("completion_tokens_details")
    return Usage(
        input_tokens=counts["prompt_tokens"],
        output_tokens=counts["completion_tokens"],
        cached_tokens=(prompt.get("cached_tokens") or 0) if prompt else 0,
        reasoning_tokens=(output.get("reasoning_tokens") or 0) if output else 0,
    )


def _refusal(error: Any) -> ModelRefusal:
    """An error in the middle of a stream, which comes without a status."""
    if not isinstance(error, dict):
        return ModelRefusal(0, None, str(error), {})
    code, message = error.get("code"), error.get("message") or "An error occurred during streaming"
    return ModelRefusal(0, None if code is None else str(code), str(message), {})
