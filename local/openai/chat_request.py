"""A chat completion request, read strictly: what is wrong or not covered is named, nothing is guessed."""

from dataclasses import dataclass
from typing import Any

import orjson

from local.openai.chat_shape import Tool, forced_tool, response_format, tools
from local.openai.errors import bad_request, not_covered
from local.openai.fields import FieldError, Fields

MOST_MESSAGES = 2_048
_ROLES = ("system", "developer", "user", "assistant", "tool")
_WITHOUT_EFFECT = (
    *("metadata", "user", "safety_identifier", "parallel_tool_calls"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
)
_NOT_COVERED = {
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "modalities": (None, ["text"]),
    "store": (None, False),
    "service_tier": (None, "auto", "default"),
    "audio": (None,),
    "prediction": (None,),
    "functions": (None, []),
    "function_call": (None,),
    "web_search_options": (None,),
    "data_sources": (None, []),
    "reasoning_effort": (None,),
    "verbosity": (None,),
    "moderation": (None,),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `text` is its content with the parts joined."""

    role: str
    text: str
    name: str = ""
    calls: str = ""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A valid request.

    Attributes:
        forced_tool: The tool that must be called, None when the answer is text.
        named_tool: The caller named the tool, rather than requiring any.
        schema: JSON schema of the answer, an empty one for `json_object`, None for text.
        tools_text: The tools as they count towards the prompt.
    """

    model: str | None
    messages: tuple[Message, ...]
    max_tokens: int | None
    stream: bool
    include_usage: bool
    seed: int
    temperature: float
    stop: tuple[str, ...]
    forced_tool: Tool | None
    named_tool: bool
    schema: dict[str, Any] | None
    json_object: bool
    tools_text: str

    @property
    def question(self) -> str:
        """The text of the last user message, empty when there is none."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")


def read(document: Any) -> ChatRequest:
    """Reads a request body.

    Raises:
        ServiceError: 400 in the shape of the real service, naming the parameter.
    """
    try:
        return _read(Fields(document))
    except FieldError as error:
        raise invalid(error) from error


def invalid(error: FieldError) -> Exception:
    """The 400 for a field that is wrong."""
    if not error.path:
        return bad_request(f"Invalid request body: it {error.problem}.", code="invalid_type")
    return bad_request(f"Invalid value for '{error.path}': it {error.problem}.", param=error.path, code="invalid_value")


def _read(fields: Fields) -> ChatRequest:
    _refuse_what_is_not_covered(fields)
    messages = _messages(fields)
    stream = fields.boolean("stream")
    known, tools_text = tools(fields)
    forced, named = forced_tool(fields, known)
    schema, json_object = response_format(fields, "\n".join(message.text for message in messages))
    for name in ("presence_penalty", "frequency_penalty"):
        fields.number(name, 0.0, low=-2, high=2)
    fields.number("top_p", 1.0, low=0, high=1)
    for name in _WITHOUT_EFFECT:
        fields.raw(name)
    request = ChatRequest(
        model=fields.text("model") if fields.has("model") else None,
        messages=messages,
        max_tokens=_max_tokens(fields),
        stream=stream,
        include_usage=_include_usage(fields, stream=stream),
        seed=fields.integer("seed", 0, low=-(2**63), high=2**63 - 1),
        temperature=fields.number("temperature", 1.0, low=0, high=2),
        stop=_stop(fields),
        forced_tool=forced,
        named_tool=named,
        schema=schema,
        json_object=json_object,
        tools_text=tools_text,
    )
    if unknown := fields.unknown():
        raise bad_request(f"Unrecognized request argument supplied: {unknown[0]}")
    return request


def _refuse_what_is_not_covered(fields: Fields) -> None:
    for name, harmless in _NOT_COVERED.items():
        if fields.raw(name) not in harmless:
            raise not_covered(f"The parameter {name}", param=name)
    if fields.integer("n", 1, low=1, high=128) != 1:
        raise not_covered("More than one choice (n above 1)", param="n")


def _messages(fields: Fields) -> tuple[Message, ...]:
    items = fields.items("messages")
    if not items:
        raise bad_request(
            "Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter"
        )
    if len(items) > MOST_MESSAGES:
        raise FieldError("messages", f"must have at most {MOST_MESSAGES} entries")
    return tuple(_message(Fields(item, f"messages[{index}]")) for index, item in enumerate(items))


def _message(fields: Fields) -> Message:
    role = fields.text("role", choices=_ROLES)
    calls = fields.items("tool_calls") if role == "assistant" else []
    if role == "tool":
        fields.text("tool_call_id")
    if role == "assistant":
        fields.raw("refusal")
        fields.raw("annotations")
    content = fields.raw("content")
    if content is None and role == "assistant" and calls:
        content = ""
    text = content if isinstance(content, str) else _parts(content, fields.path("content"))
    name = fields.text("name") if fields.has("name") else ""
    fields.done()
    return Message(role, text, name, orjson.dumps(calls).decode() if calls else "")


def _parts(content: Any, path: str) -> str:
    if not isinstance(content, list) or not content:
        raise FieldError(path, "must be a string or an array of parts")
    texts = []
    for index, item in enumerate(content):
        part = Fields(item, f"{path}[{index}]")
        kind = part.text("type")
        if kind in {"image_url", "input_audio", "file"}:
            raise not_covered(f"A message part of type {kind}", param=part.path("type"))
        if kind not in {"text", "refusal"}:
            raise FieldError(part.path("type"), "must be text")
        value = part.raw(kind)
        if not isinstance(value, str):
            raise FieldError(part.path(kind), "must be a string")
        texts.append(value)
        part.done()
    return "\n".join(texts)


def _max_tokens(fields: Fields) -> int | None:
    given = [name for name in ("max_tokens", "max_completion_tokens") if fields.has(name)]
    if len(given) == 2:
        raise bad_request(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )
    return fields.integer(given[0], low=1) if given else None


def _include_usage(fields: Fields, *, stream: bool) -> bool:
    if not fields.has("stream_options"):
        return False
    if not stream:
        raise bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    options = Fields(fields.raw("stream_options"), "stream_options")
    include = options.boolean("include_usage")
    if options.boolean("include_obfuscation"):
        raise not_covered("Obfuscation of streams", param="stream_options.include_obfuscation")
    options.done()
    return include


def _stop(fields: Fields) -> tuple[str, ...]:
    value = fields.raw("stop")
    if value is None:
        return ()
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or len(stops) > 4 or not all(isinstance(stop, str) and stop for stop in stops):
        raise FieldError("stop", "must be a string or an array of at most four strings")
    return tuple(stops)
