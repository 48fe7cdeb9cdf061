"""What a starting instance loads. Every module costs each cold start, so the heavy ones stay off the chat's way."""

import pytest

from tests.app_imports import loaded_modules

NEVER = (
    "shared.evaluation",
    "shared.evaluating.service",
    "shared.evaluating.requests",
    "shared.api.openapi",
    "shared.api.views",
    "azure.identity",
    "azure.ai",
    "azure.monitor",
    "opentelemetry.sdk",
    "tiktoken",
    "regex",
    "numpy",
    "scipy",
    "pandas",
    "grpc",
    "local",
    "tests",
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return loaded_modules()


@pytest.mark.parametrize("name", NEVER)
def test_a_starting_instance_does_not_load(name: str, loaded: set[str]) -> None:
    assert [module for module in loaded if module == name or module.startswith(f"{name}.")] == []


def test_it_loads_what_the_chat_needs(loaded: set[str]) -> None:
    assert {
        "function_app",
        "shared.api.chat",
        "openai",
        "azure.cosmos.aio",
        "azure.servicebus.aio",
        "aiohttp",
    } <= loaded
