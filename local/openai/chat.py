"""Answers chat completions, streamed or whole, on time."""

import asyncio
import hashlib
import secrets
import string
import time
from typing import Any

from local.openai import chat_request, chunks
from local.openai.chat_request import ChatRequest
from local.openai.config import Deployment
from local.openai.errors import bad_request, context_too_long
from local.openai.exchange import ClientGone
from local.openai.model_call import ModelCall
from local.openai.plan import Plan, plan
from local.openai.reply import Reply, build, prompt_tokens, question_digest

_ALPHABET = string.ascii_letters + string.digits
_LONG_CHARACTERS = 32_768


async def respond(model_call: ModelCall, document: dict[str, Any]) -> None:
    """Validates, admits and answers one call.

    Raises:
        ServiceError: The request is wrong, or a quota or fault turns it away.
        ClientGone: The caller left.
    """
    request = chat_request.read(document)
    call, deployment = model_call.call, model_call.deployment_running.deployment
    call.stream, call.question_sha256 = request.stream, question_digest(request)
    tokenizer = model_call.service.tokenizer
    long = sum(len(message.text) for message in request.messages) > _LONG_CHARACTERS
    counted = await asyncio.to_thread(prompt_tokens, tokenizer, request) if long else prompt_tokens(tokenizer, request)
    _check_lengths(deployment, request, counted)
    model_call.admit(counted, request.max_tokens or deployment.default_output_tokens)
    most = min(request.max_tokens or deployment.max_output_tokens, deployment.context_tokens - counted)
    arguments = {"most_tokens": max(1, most), "seed": model_call.service.seed}
    if long:
        reply = await asyncio.to_thread(build, tokenizer, deployment, request, **arguments)
    else:
        reply = build(tokenizer, deployment, request, **arguments)
    await _send(model_call, request, reply, counted)


def _check_lengths(deployment: Deployment, request: ChatRequest, prompt: int) -> None:
    if prompt > deployment.context_tokens:
        raise context_too_long(deployment.context_tokens, prompt)
    if request.max_tokens is not None and request.max_tokens > deployment.max_output_tokens:
        raise bad_request(
            f"max_tokens is too large: {request.max_tokens}. This model supports at most "
            f"{deployment.max_output_tokens} completion tokens, whereas you provided {request.max_tokens}.",
            param="max_tokens",
            code="invalid_value",
        )


async def _send(model_call: ModelCall, request: ChatRequest, reply: Reply, prompt: int) -> None:
    running, effects = model_call.deployment_running, model_call.effects
    tokens = sum(tokens for _, tokens in reply.pieces)
    times = running.timing.token_times(running.deployment.latency, prompt, max(1, tokens), effects.slow_factor)
    schedule = plan(reply, times, effects)
    identity = chunks.Identity(
        id=f"chatcmpl-{_random_text(29)}",
        created=int(time.time()),
        model=running.deployment.model_id,
        fingerprint=f"fp_{hashlib.sha256(running.deployment.model_id.encode()).hexdigest()[:10]}",
    )
    model_call.call.status = 200
    if schedule.finish_reason == "content_filter":
        model_call.call.outcome = "content_filter_completion"
    try:
        if request.stream:
            await _stream(model_call, request, reply, schedule, identity)
        else:
            await _whole(model_call, reply, schedule, identity)
    except ClientGone:
        if not schedule.stalled_at(time.monotonic() - model_call.call.arrived):
            raise
        model_call.call.outcome = "stalled"


async def _stream(
    model_call: ModelCall, request: ChatRequest, reply: Reply, schedule: Plan, identity: chunks.Identity
) -> None:
    """Sends the pieces on their times; pieces that are late go out together."""
    exchange, call = model_call.exchange, model_call.call
    writer = chunks.ChunkWriter(identity, include_usage=request.include_usage)
    await exchange.sleep_until(model_call.due(model_call.round_trip_seconds()))
    await exchange.start(200, model_call.answer_headers(b"text/event-stream; charset=utf-8"))
    piece = writer.arguments if reply.tool_name else writer.content
    opening = writer.tool(f"call_{_random_text(24)}", reply.tool_name) if reply.tool_name else writer.role()
    waiting = [chunks.PROMPT_FILTER]
    sent, count = 0, len(schedule.pieces)
    now = time.monotonic()
    while sent < count:
        due = model_call.due(schedule.times[sent])
        if due > now:
            if waiting:
                await exchange.write(b"".join(waiting))
                waiting.clear()
            await exchange.sleep_until(due)
            now = max(due, time.monotonic())
        if sent == 0:
            waiting.append(opening)
            call.first_token = now
        while sent < count and model_call.due(schedule.times[sent]) <= now:
            text, tokens = schedule.pieces[sent]
            waiting.append(piece(text))
            call.output_tokens += tokens
            sent += 1
    await _finish(model_call, request, schedule, writer, waiting if sent else [*waiting, opening])


async def _finish(
    model_call: ModelCall, request: ChatRequest, schedule: Plan, writer: chunks.ChunkWriter, waiting: list[bytes]
) -> None:
    exchange, call = model_call.exchange, model_call.call
    if model_call.due(schedule.ends) > time.monotonic() or schedule.cut:
        await exchange.write(b"".join(waiting))
        waiting = []
        await exchange.sleep_until(model_call.due(schedule.ends))
    if schedule.cut:
        call.outcome = "stalled" if schedule.stall else "cut"
        return
    waiting.append(writer.finish(schedule.finish_reason))
    if request.include_usage:
        waiting.append(writer.usage(call.prompt_tokens, call.output_tokens))
    waiting.append(chunks.DONE)
    await exchange.end(b"".join(waiting))


async def _whole(model_call: ModelCall, reply: Reply, schedule: Plan, identity: chunks.Identity) -> None:
    exchange, call = model_call.exchange, model_call.call
    await exchange.sleep_until(model_call.due(schedule.ends))
    text, tokens = "".join(text for text, _ in schedule.pieces), schedule.tokens
    message = _message(text, reply.tool_name, filtered=schedule.finish_reason == "content_filter")
    body = chunks.whole(identity, message, schedule.finish_reason, call.prompt_tokens, tokens)
    answer_headers = model_call.answer_headers(b"application/json")
    if schedule.cut:
        call.outcome = "stalled" if schedule.stall else "cut"
        await exchange.start(200, [*answer_headers, (b"content-length", b"%d" % len(body))])
        await exchange.write(body[: len(body) // 2])
        return
    call.output_tokens = tokens
    await exchange.answer(200, body, answer_headers)


def _message(text: str, tool_name: str, *, filtered: bool) -> dict[str, Any]:
    if tool_name:
        call = {
            "function": {"arguments": text, "name": tool_name},
            "id": f"call_{_random_text(24)}",
            "type": "function",
        }
        return {"annotations": [], "content": None, "refusal": None, "role": "assistant", "tool_calls": [call]}
    return {"annotations": [], "content": "" if filtered else text, "refusal": None, "role": "assistant"}


def _random_text(length: int) -> str:
    return "".join(_ALPHABET[byte % 62] for byte in secrets.token_bytes(length))
