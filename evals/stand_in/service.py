"""The stand-in as a chat completions service, streamed, with OpenAI's error shape."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from evals.stand_in.faults import Fault, read_fault
from evals.stand_in.verdicts import reply

MODEL = "judge"
CHARACTERS_PER_TOKEN = 4
STALL_SECONDS = 20.0


class StandIn:
    """Answers requests and keeps account of them."""

    def __init__(self) -> None:
        """Starts without faults."""
        self.faults: list[Fault] = []
        self.calls: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("/openai/v1/chat/completions", self.complete, methods=["POST"]),
            Route("/_sim/faults", self.add_fault, methods=["POST"]),
            Route("/_sim/faults", self.clear_faults, methods=["DELETE"]),
            Route("/_sim/calls", self.show_calls, methods=["GET"]),
        ]

    async def complete(self, request: Request) -> Response:
        """One judgement."""
        try:
            body = json.loads(await request.body())
            said, evaluator = reply(body), body["response_format"]["json_schema"]["name"]
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            return _error(400, f"{type(error).__name__}: {error}", "invalid_request_error")
        material = json.dumps(body["messages"], ensure_ascii=False)
        fault = next((fault for fault in self.faults if fault.strikes(evaluator, material)), None)
        self.calls.append({"evaluator": evaluator, "fault": None if fault is None else fault.kind})
        if fault is not None and fault.kind == "quota":
            headers = {"retry-after-ms": str(fault.retry_after_ms)}
            return _error(429, "Rate limit is exceeded.", "rate_limit_exceeded", headers)
        if fault is not None and fault.kind == "stall":
            await asyncio.sleep(STALL_SECONDS)
        text = said if fault is None else fault.spoil(said)
        cut = fault is not None and fault.kind == "cut"
        return StreamingResponse(_stream(text, len(material), cut=cut), media_type="text/event-stream")

    async def add_fault(self, request: Request) -> Response:
        """Switches a fault on."""
        try:
            self.faults.append(read_fault(json.loads(await request.body())))
        except ValueError as error:
            return _error(400, str(error), "invalid_request_error")
        return JSONResponse({"faults": len(self.faults)})

    async def clear_faults(self, request: Request) -> Response:  # noqa: ARG002  as the framework calls it
        """Switches all faults off."""
        self.faults.clear()
        return JSONResponse({"faults": 0})

    async def show_calls(self, request: Request) -> Response:  # noqa: ARG002  as the framework calls it
        """All calls since the start."""
        return JSONResponse({"calls": self.calls})


def application() -> Starlette:
    """The service."""
    return Starlette(routes=StandIn().routes())


async def _stream(text: str, prompt_characters: int, *, cut: bool) -> AsyncIterator[bytes]:
    head = {"id": "chatcmpl-judge", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    if text:
        yield _data({**head, "choices": [_choice({"role": "assistant", "content": text})]})
    if cut:
        return
    yield _data({**head, "choices": [_choice({}, "stop")]})
    prompt, output = prompt_characters // CHARACTERS_PER_TOKEN, len(text) // CHARACTERS_PER_TOKEN
    usage = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    yield _data({**head, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _data(chunk: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(chunk, ensure_ascii=False).encode()


def _error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> Response:
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    return JSONResponse(body, status_code=status, headers=headers)
