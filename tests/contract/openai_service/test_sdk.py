"""The official SDK, unmodified, against the service."""

import json
import math
from typing import Any

import openai
import pytest
from openai import AzureOpenAI
from pydantic import BaseModel

from tests.contract.openai_service.support import HELLO_ANSWER, KEY, Raw, async_client, client
from tests.processes import Service

SYSTEM = "Use the sources.\n\n[source: A] Hours\nWe open at nine in the morning."
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "search",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}


def messages(question: str) -> Any:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]


async def test_a_stream_gives_text_usage_and_filter_results(service: Service, raw: Raw) -> None:
    async with async_client(service.url) as azure:
        response = await azure.chat.completions.with_raw_response.create(
            model="chat", messages=messages("When do you open?"), stream=True, stream_options={"include_usage": True}
        )
        assert response.headers["x-ratelimit-limit-tokens"] == "1000000"
        chunks = [chunk async for chunk in response.parse()]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "We open at nine in the morning. [A]"
    assert "prompt_filter_results" in (chunks[0].model_extra or {})
    assert chunks[-2].choices[0].finish_reason == "stop"
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.completion_tokens == len(chunks) - 4
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_whole_completion(service: Service, raw: Raw) -> None:
    hello: Any = [{"role": "user", "content": "Hello"}]
    with client(service.url) as azure:
        completion = azure.chat.completions.create(model="chat", messages=hello, temperature=0)
    assert completion.choices[0].message.content == HELLO_ANSWER
    assert completion.model == "gpt-4o-mini-2024-07-18"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (8, 9)


def test_the_classic_azure_client_works_below_an_account(service: Service, raw: Raw) -> None:
    endpoint = f"{service.url}/eastus"
    with AzureOpenAI(azure_endpoint=endpoint, api_key=KEY, api_version="2024-10-21", max_retries=0) as azure:
        completion = azure.chat.completions.create(model="twin", messages=messages("When do you open?"))
    assert "nine" in str(completion.choices[0].message.content)
    assert raw.calls()[-1]["account"] == "eastus"


def test_a_forced_tool_is_called_with_arguments_that_fit(service: Service, raw: Raw) -> None:
    with client(service.url) as azure:
        forced: Any = {"type": "function", "function": {"name": "search"}}
        named = azure.chat.completions.create(
            model="chat",
            messages=messages("When do you open?"),
            tools=[TOOL],
            tool_choice=forced,
        )
        free = azure.chat.completions.create(model="chat", messages=messages("When do you open?"), tools=[TOOL])
    (call,) = named.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"query": "When do you open?"}
    assert named.choices[0].finish_reason == "stop"
    assert free.choices[0].message.tool_calls is None


class Opening(BaseModel):
    answer: str
    sources: list[str]


def test_structured_output_parses_into_the_model(service: Service, raw: Raw) -> None:
    with client(service.url) as azure:
        completion = azure.chat.completions.parse(
            model="chat", messages=messages("When do you open?"), response_format=Opening
        )
    assert completion.choices[0].message.parsed == Opening(answer="We open at nine in the morning. [A]", sources=["A"])


def test_json_mode_gives_an_object(service: Service, raw: Raw) -> None:
    with client(service.url) as azure:
        completion = azure.chat.completions.create(
            model="chat", messages=messages("When do you open? As JSON."), response_format={"type": "json_object"}
        )
    assert json.loads(str(completion.choices[0].message.content))["sources"] == ["A"]


async def test_embeddings_have_unit_length_in_any_encoding(service: Service, raw: Raw) -> None:
    async with async_client(service.url) as azure:
        packed = await azure.embeddings.create(model="embeddings", input=["Hello world", "Goodbye"])
        plain = await azure.embeddings.create(model="embeddings", input="Hello world", encoding_format="float")
        tokens = await azure.embeddings.create(model="embeddings", input=[[13225, 2375]], encoding_format="float")
        wide = await azure.embeddings.create(model="embeddings", input="Hello world", dimensions=1_536)
    assert [item.index for item in packed.data] == [0, 1]
    assert packed.data[0].embedding == plain.data[0].embedding == tokens.data[0].embedding
    assert len(packed.data[0].embedding) == 256
    assert len(wide.data[0].embedding) == 1_536
    for answer in (packed, wide):
        assert math.fsum(value * value for value in answer.data[0].embedding) == pytest.approx(1, abs=1e-5)
    assert (packed.model, packed.usage.prompt_tokens) == ("text-embedding-3-small", 4)


def test_models_lists_the_deployments_of_the_account(service: Service, raw: Raw) -> None:
    with client(service.url, "/eastus/openai/v1") as azure:
        assert [model.id for model in azure.models.list()] == ["twin"]
        assert azure.models.retrieve("twin").id == "twin"
        with pytest.raises(openai.NotFoundError):
            azure.models.retrieve("chat")


def test_errors_arrive_as_the_exceptions_of_the_sdk(service: Service, raw: Raw) -> None:
    with client(service.url) as azure:
        raw.fault("quota", count=1, retry_after_ms=250)
        with pytest.raises(openai.RateLimitError) as limited:
            azure.chat.completions.create(model="chat", messages=messages("Hello"))
        assert limited.value.response.headers["retry-after-ms"] == "250"
        assert limited.value.code == "RateLimitReached"
        raw.fault("content_filter", count=1)
        with pytest.raises(openai.BadRequestError) as filtered:
            azure.chat.completions.create(model="chat", messages=messages("Hello"))
        assert filtered.value.code == "content_filter"
        body: Any = filtered.value.body
        assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
        raw.fault("server_error", count=1)
        with pytest.raises(openai.InternalServerError) as failed:
            azure.chat.completions.create(model="chat", messages=messages("Hello"))
        assert failed.value.request_id
        with pytest.raises(openai.NotFoundError) as missing:
            azure.chat.completions.create(model="none", messages=messages("Hello"))
        assert missing.value.code == "DeploymentNotFound"


def test_the_sdk_retries_by_itself_after_retry_after_ms(service: Service, raw: Raw) -> None:
    raw.fault("quota", count=1, retry_after_ms=20)
    with client(service.url).with_options(max_retries=1) as azure:
        azure.chat.completions.create(model="chat", messages=messages("Hello"))
    assert [call["outcome"] for call in raw.calls()] == ["quota_429", "succeeded"]
