"""The bytes of chat completions, streamed and whole: templates are built once per call, tokens are put between them."""

from dataclasses import dataclass
from typing import Any

import orjson

_SAFE = {"filtered": False, "severity": "safe"}
SAFE: dict[str, Any] = {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE}
VIOLENT: dict[str, Any] = {**SAFE, "violence": {"filtered": True, "severity": "medium"}}
SAFE_PROMPT: dict[str, Any] = {
    "hate": _SAFE,
    "jailbreak": {"filtered": False, "detected": False},
    "self_harm": _SAFE,
    "sexual": _SAFE,
    "violence": _SAFE,
}
VIOLENT_PROMPT: dict[str, Any] = {**SAFE_PROMPT, "violence": {"filtered": True, "severity": "medium"}}

DONE = b"data: [DONE]\n\n"
PROMPT_FILTER = (
    b'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":'
    + orjson.dumps([{"prompt_index": 0, "content_filter_results": SAFE_PROMPT}])
    + b"}\n\n"
)
_PROMPT_FILTER_RESULTS = orjson.dumps([{"prompt_index": 0, "content_filter_results": SAFE_PROMPT}])
_EMPTY_START = b'data: {"choices":[{"content_filter_results":{},"delta":'
_SAFE_START = b'data: {"choices":[{"content_filter_results":' + orjson.dumps(SAFE) + b',"delta":'
_VIOLENT_START = b'data: {"choices":[{"content_filter_results":' + orjson.dumps(VIOLENT) + b',"delta":'
_CONTENT_START = _SAFE_START + b'{"content":'
_ARGUMENTS_START = _EMPTY_START + b'{"tool_calls":[{"function":{"arguments":'


@dataclass(frozen=True, slots=True)
class Identity:
    """What all chunks of one completion say."""

    id: str
    created: int
    model: str
    fingerprint: str


class ChunkWriter:
    """Writes the events of one stream."""

    def __init__(self, identity: Identity, *, include_usage: bool) -> None:
        common = b'"created":%d,"id":%s,"model":%s,"object":"chat.completion.chunk","system_fingerprint":%s' % (
            identity.created,
            orjson.dumps(identity.id),
            orjson.dumps(identity.model),
            orjson.dumps(identity.fingerprint),
        )
        end = b',"usage":null}\n\n' if include_usage else b"}\n\n"
        self._rest = b',"index":0,"logprobs":null}],' + common + end
        self._open = b',"finish_reason":null' + self._rest
        self._content_end = b"}" + self._open
        self._arguments_end = b'},"index":0}]}' + self._open
        self._usage_start = b'data: {"choices":[],' + common + b',"usage":'

    def role(self) -> bytes:
        """The chunk that opens a text answer."""
        return _EMPTY_START + b'{"content":"","refusal":null,"role":"assistant"}' + self._open

    def content(self, text: str) -> bytes:
        """One piece of text."""
        return _CONTENT_START + orjson.dumps(text) + self._content_end

    def tool(self, call_id: str, name: str) -> bytes:
        """The chunk that opens a tool call."""
        call = {"function": {"arguments": "", "name": name}, "id": call_id, "index": 0, "type": "function"}
        delta = {"content": None, "refusal": None, "role": "assistant", "tool_calls": [call]}
        return _EMPTY_START + orjson.dumps(delta) + self._open

    def arguments(self, text: str) -> bytes:
        """One piece of a tool call's arguments."""
        return _ARGUMENTS_START + orjson.dumps(text) + self._arguments_end

    def finish(self, reason: str) -> bytes:
        """The chunk with the finish reason."""
        start = _VIOLENT_START if reason == "content_filter" else _EMPTY_START
        return start + b'{},"finish_reason":%s' % orjson.dumps(reason) + self._rest

    def usage(self, prompt_tokens: int, output_tokens: int) -> bytes:
        """The chunk with the token counts."""
        return self._usage_start + usage(prompt_tokens, output_tokens) + b"}\n\n"


def usage(prompt_tokens: int, output_tokens: int) -> bytes:
    """The token counts of a chat completion."""
    return (
        b'{"completion_tokens":%d,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,'
        b'"reasoning_tokens":0,"rejected_prediction_tokens":0},"prompt_tokens":%d,"prompt_tokens_details":'
        b'{"audio_tokens":0,"cached_tokens":0},"total_tokens":%d}'
        % (output_tokens, prompt_tokens, prompt_tokens + output_tokens)
    )


def whole(
    identity: Identity, message: dict[str, Any], finish_reason: str, prompt_tokens: int, output_tokens: int
) -> bytes:
    """A chat completion that is not streamed."""
    filters = VIOLENT if finish_reason == "content_filter" else {} if "tool_calls" in message else SAFE
    choice = {
        "content_filter_results": filters,
        "finish_reason": finish_reason,
        "index": 0,
        "logprobs": None,
        "message": message,
    }
    return (
        b'{"choices":[%s],"created":%d,"id":%s,"model":%s,"object":"chat.completion","prompt_filter_results":%s,'
        b'"system_fingerprint":%s,"usage":%s}'
        % (
            orjson.dumps(choice),
            identity.created,
            orjson.dumps(identity.id),
            orjson.dumps(identity.model),
            _PROMPT_FILTER_RESULTS,
            orjson.dumps(identity.fingerprint),
            usage(prompt_tokens, output_tokens),
        )
    )
