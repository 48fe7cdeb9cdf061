"""Answers embeddings calls."""

import asyncio
import base64
import struct
import time
from dataclasses import dataclass
from typing import Any

import orjson

from local.openai.chat_request import invalid
from local.openai.errors import bad_request
from local.openai.exchange import ClientGone
from local.openai.fields import FieldError, Fields
from local.openai.model_call import ModelCall
from local.openai.plan import plan
from local.openai.reply import Reply
from local.openai.tokens import Tokenizer
from local.openai.vectors import DEFAULT_DIMENSIONS, MOST_DIMENSIONS, embed

MOST_INPUTS = 2_048
_LONG_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """A valid request; every input is its text and its tokens."""

    inputs: tuple[tuple[str, int], ...]
    dimensions: int
    as_base64: bool


async def respond(model_call: ModelCall, document: dict[str, Any]) -> None:
    """Validates, admits and answers one call.

    Raises:
        ServiceError: The request is wrong, or a quota or fault turns it away.
        ClientGone: The caller left.
    """
    deployment = model_call.deployment_running.deployment
    tokenizer = model_call.service.tokenizer
    long = len(orjson.dumps(document.get("input"))) > _LONG_CHARACTERS
    if long:
        request = await asyncio.to_thread(read, document, tokenizer, deployment.context_tokens)
    else:
        request = read(document, tokenizer, deployment.context_tokens)
    tokens = sum(count for _, count in request.inputs)
    model_call.admit(tokens, 0)
    body = (
        await asyncio.to_thread(_body, request, deployment.model_id, tokens)
        if long
        else _body(request, deployment.model_id, tokens)
    )
    await _send(model_call, body, tokens)


async def _send(model_call: ModelCall, body: bytes, tokens: int) -> None:
    running, effects, exchange = model_call.deployment_running, model_call.effects, model_call.exchange
    times = running.timing.token_times(running.deployment.latency, tokens, 1, effects.slow_factor)
    schedule = plan(Reply((), "stop"), times, effects)
    model_call.call.status = 200
    try:
        await exchange.sleep_until(model_call.due(schedule.ends))
        answer_headers = model_call.answer_headers(b"application/json")
        if not schedule.cut:
            await exchange.answer(200, body, answer_headers)
            return
        model_call.call.outcome = "stalled" if schedule.stall else "cut"
        await exchange.start(200, [*answer_headers, (b"content-length", b"%d" % len(body))])
        await exchange.write(body[: len(body) // 2])
    except ClientGone:
        if not schedule.stalled_at(time.monotonic() - model_call.call.arrived):
            raise
        model_call.call.outcome = "stalled"


def read(document: dict[str, Any], tokenizer: Tokenizer, most_tokens: int) -> EmbeddingsRequest:
    """Reads a request body.

    Raises:
        ServiceError: 400, naming the parameter.
    """
    try:
        return _read(Fields(document), tokenizer, most_tokens)
    except FieldError as error:
        raise invalid(error) from error


def _read(fields: Fields, tokenizer: Tokenizer, most_tokens: int) -> EmbeddingsRequest:
    fields.raw("model")
    fields.raw("user")
    encoding = fields.text("encoding_format", "float", choices=("float", "base64"))
    dimensions = fields.integer("dimensions", DEFAULT_DIMENSIONS, low=1, high=MOST_DIMENSIONS)
    inputs = tuple(
        _input(item, f"input[{index}]", tokenizer, most_tokens)
        for index, item in enumerate(_as_list(fields.raw("input")))
    )
    if unknown := fields.unknown():
        raise bad_request(f"Unrecognized request argument supplied: {unknown[0]}")
    return EmbeddingsRequest(inputs, dimensions, encoding == "base64")


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value:
        raise FieldError("input", "must be a string, an array of strings or an array of tokens, and not empty")
    if all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        return [value]
    if len(value) > MOST_INPUTS:
        raise FieldError("input", f"must have at most {MOST_INPUTS} entries")
    return value


def _input(item: Any, path: str, tokenizer: Tokenizer, most_tokens: int) -> tuple[str, int]:
    if isinstance(item, str) and item:
        text, count = item, tokenizer.count(item)
    elif isinstance(item, list) and item and all(isinstance(token, int) for token in item):
        try:
            text, count = tokenizer.decode(item), len(item)
        except ValueError as error:
            raise FieldError(path, f"holds a number that {error}") from error
    else:
        raise FieldError(path, "must be a string or an array of tokens, and not empty")
    if count > most_tokens:
        raise bad_request(
            f"This model's maximum context length is {most_tokens} tokens, however you requested {count} tokens "
            f"({count} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
            param="input",
        )
    return text, count


def _body(request: EmbeddingsRequest, model: str, tokens: int) -> bytes:
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, as_base64=request.as_base64)}
        for index, vector in enumerate(embed(text, request.dimensions) for text, _ in request.inputs)
    ]
    counts = {"prompt_tokens": tokens, "total_tokens": tokens}
    return orjson.dumps({"object": "list", "data": data, "model": model, "usage": counts})


def _encoded(vector: list[float], *, as_base64: bool) -> str | list[float]:
    """A vector as 32-bit floats: little-endian in base64, or as numbers."""
    packed = struct.pack(f"<{len(vector)}f", *vector)
    return base64.b64encode(packed).decode() if as_base64 else list(struct.unpack(f"<{len(vector)}f", packed))
