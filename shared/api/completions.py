"""OpenAI's chat completions form: a turn's events as the official clients expect them.

Source: platform.openai.com, API reference, "chat completion object" and "chat completion chunk object".
"""

from collections.abc import AsyncIterator
from typing import Any

from shared.answering.accept_turn import Accepted
from shared.errors import SpillwayError, from_dict
from shared.events import KEEP_ALIVE, Event, compact
from shared.turns import Turn

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
DONE = b"data: [DONE]\n\n"


def error_body(error: SpillwayError) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    kind = TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code}}


def completion(turn: Turn, model: str) -> dict[str, Any]:
    """A whole answer."""
    return {
        **_head(turn, model, "chat.completion"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": turn.answer, "refusal": None},
                "logprobs": None,
                "finish_reason": turn.finish_reason or "stop",
            }
        ],
        "usage": usage_body(None if turn.usage is None else turn.usage.as_dict()),
        **_cached(turn.cached),
    }


async def chunks(
    accepted: Accepted, events: AsyncIterator[Event | None], *, model: str, include_usage: bool
) -> AsyncIterator[bytes]:
    """A streamed answer. Text that would have to be taken back ends the stream with an error instead."""
    head = _head(accepted.turn, model, "chat.completion.chunk")
    yield _chunk(head, {"role": "assistant", "content": ""})
    async for event in events:
        if event is None:
            yield KEEP_ALIVE
        elif event.name == "delta":
            yield _chunk(head, {"content": event.data["text"]})
        elif event.name == "done":
            yield _chunk(head | _cached(event.data.get("cached")), {}, event.data.get("finish_reason") or "stop")
            if include_usage:
                yield _data({**head, "choices": [], "usage": usage_body(event.data.get("usage"))})
            yield DONE
        elif event.name == "error":
            yield _data(error_body(from_dict(event.data["error"])))
        elif event.name in {"restart", "continue"}:
            lost = SpillwayError("The answer could not be streamed to its end on this connection. Ask again.")
            yield _data(error_body(lost))
            return


def usage_body(usage: dict[str, int] | None) -> dict[str, Any] | None:
    """Token counts in OpenAI's words."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
        "prompt_tokens_details": {"cached_tokens": usage.get("cached_tokens", 0)},
        "completion_tokens_details": {"reasoning_tokens": usage.get("reasoning_tokens", 0)},
    }


def _cached(cached: dict[str, Any] | None) -> dict[str, Any]:
    """A field of our own, which clients pass over: the answer was given before."""
    return {} if cached is None else {"cached": cached}


def model_list(models: tuple[str, ...]) -> dict[str, Any]:
    """The models that can be asked for."""
    return {
        "object": "list",
        "data": [{"id": model, "object": "model", "created": 0, "owned_by": "spillway"} for model in models],
    }


def _head(turn: Turn, model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{turn.turn_id}", "object": kind, "created": int(turn.created_at), "model": model}


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    return _data({**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]})


def _data(body: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % compact(body)
