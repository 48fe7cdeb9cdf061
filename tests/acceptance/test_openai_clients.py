"""OpenAI's own Python client: change base URL and key, nothing else."""

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.acceptance.stack import MODEL, USER, Stack

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]


@pytest.fixture
def client(stack: Stack) -> OpenAI:
    return OpenAI(base_url=f"{stack.url}/api/openai/v1", api_key=USER, max_retries=0)


def test_a_completion_has_the_answer_and_its_usage(client: OpenAI) -> None:
    with client:
        done = client.chat.completions.create(model=MODEL, messages=MESSAGES, temperature=0.2)

    assert done.choices[0].message.content
    assert done.choices[0].finish_reason == "stop"
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0


def test_a_streamed_completion_is_the_same_text_in_pieces(client: OpenAI) -> None:
    with client:
        whole = client.chat.completions.create(model=MODEL, messages=MESSAGES, seed=1)
        stream = client.chat.completions.create(
            model=MODEL,
            messages=MESSAGES,
            seed=1,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


async def test_the_async_client_works_the_same(stack: Stack) -> None:
    async with AsyncOpenAI(base_url=f"{stack.url}/api/openai/v1", api_key=USER, max_retries=0) as client:
        models = [model.id async for model in client.models.list()]
        stream = await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    assert models == [MODEL]
    assert text


def test_errors_are_the_clients_own_exceptions(stack: Stack, client: OpenAI) -> None:
    stranger = OpenAI(base_url=f"{stack.url}/api/openai/v1", api_key="wrong", max_retries=0)
    with client, stranger:
        with pytest.raises(openai.BadRequestError, match="model: choose one of"):
            client.chat.completions.create(model="gpt-99", messages=MESSAGES)
        with pytest.raises(openai.BadRequestError, match="tools"):
            client.chat.completions.create(model=MODEL, messages=MESSAGES, tools=[])
        with pytest.raises(openai.AuthenticationError):
            stranger.chat.completions.create(model=MODEL, messages=MESSAGES)


def test_parameters_reach_the_model(client: OpenAI) -> None:
    with client:
        done = client.chat.completions.create(
            model=MODEL,
            messages=MESSAGES,
            max_tokens=1,
        )

    assert done.choices[0].finish_reason == "length"
    assert done.usage is not None
    assert done.usage.completion_tokens == 1
