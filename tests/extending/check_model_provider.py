"""With docs/extending/model-provider.patch: deployments that speak the Responses API answer too."""

import dataclasses
import json
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from shared.adapters.openai_chat import OpenAIConnections
from shared.ports import Chunk, ModelRefusal, ModelRequest
from shared.settings import Settings
from shared.turns import Message, Usage
from shared.wiring import Services
from tests.unit.samples import DEPLOYMENTS, ENVIRONMENT

REQUEST = ModelRequest("t", (Message("user", "Hello"),), 50, {"temperature": 0.1})
USAGE = {
    "input_tokens": 3,
    "output_tokens": 2,
    "total_tokens": 5,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens_details": {"reasoning_tokens": 0},
}


def response(**changes: Any) -> dict[str, Any]:
    return {"id": "r", "object": "response", "output": [], "usage": USAGE, "incomplete_details": None, **changes}


def answering(*events: dict[str, Any], status: int = 200) -> tuple[Any, list[dict[str, Any]]]:
    """The app's own choice of adapter, and what a deployment with these events is asked."""
    asked: list[dict[str, Any]] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append({"path": request.url.path, **json.loads(request.content)})
        if status != 200:
            return httpx2.Response(status, json={"error": {"code": "rate_limit_exceeded", "message": "Slow down."}})
        lines = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        return httpx2.Response(200, text=lines, headers={"content-type": "text/event-stream", "X-Limit": "7"})

    deployments = json.dumps([DEPLOYMENTS[0] | {"api": "responses"}])
    services = Services(Settings.from_environment({**ENVIRONMENT, "SPILLWAY_DEPLOYMENTS": deployments}))
    connections: OpenAIConnections = services._models
    endpoint = services.settings.deployments[0].endpoint
    transport = httpx2.AsyncClient(transport=httpx2.MockTransport(handle))
    connections._clients[endpoint] = AsyncOpenAI(base_url=endpoint, api_key="k", max_retries=0, http_client=transport)
    return services, asked


async def read(services: Any) -> list[Chunk]:
    stream = await services._model_apis().open(services.settings.deployments[0], REQUEST)
    try:
        assert stream.headers["x-limit"] == "7"
        return [chunk async for chunk in stream]
    finally:
        await stream.close()


async def test_an_answer_comes_in_pieces_with_its_usage() -> None:
    pieces = [{"type": "response.output_text.delta", "delta": text} for text in ("Hel", "lo")]
    services, asked = answering(*pieces, {"type": "response.completed", "response": response()})
    chunks = await read(services)

    assert "".join(chunk.text for chunk in chunks) == "Hello"
    assert chunks[-1] == Chunk(finish_reason="stop", usage=Usage(3, 2, cached_tokens=1))
    assert asked[0]["path"].endswith("/responses")
    assert asked[0]["input"] == [{"role": "user", "content": "Hello"}]
    assert asked[0]["max_output_tokens"] == 50
    assert not asked[0]["store"]


async def test_an_answer_that_reached_its_length_says_so() -> None:
    cut = response(incomplete_details={"reason": "max_output_tokens"})
    services, _ = answering({"type": "response.incomplete", "response": cut})

    assert (await read(services))[-1].finish_reason == "length"


async def test_a_429_is_a_refusal_with_its_status_and_code() -> None:
    services, _ = answering(status=429)
    with pytest.raises(ModelRefusal) as refused:
        await read(services)

    assert (refused.value.status, refused.value.code) == (429, "rate_limit_exceeded")


async def test_a_stream_that_breaks_off_is_a_refusal_without_a_status() -> None:
    services, _ = answering({"type": "response.output_text.delta", "delta": "Hel"})
    with pytest.raises(ModelRefusal) as refused:
        await read(services)

    assert refused.value.status == 0


async def test_what_the_api_cannot_do_is_refused_before_the_call() -> None:
    services, asked = answering()
    odd = dataclasses.replace(REQUEST, parameters={"stop": ["."]})
    with pytest.raises(ModelRefusal, match="stop"):
        await services._model_apis().open(services.settings.deployments[0], odd)

    assert asked == []
