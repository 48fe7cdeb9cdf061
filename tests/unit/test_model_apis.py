"""Calls go to the adapter of the API that a deployment speaks."""

import dataclasses
from typing import Any

import pytest

from shared.capacity.model_apis import ModelApis
from shared.errors import SettingsError
from shared.ports import ModelRequest
from shared.settings import Deployment, Settings
from tests.unit.samples import ENVIRONMENT

CHAT = Settings.from_environment(ENVIRONMENT).deployments[0]


class Adapter:
    def __init__(self) -> None:
        self.called: list[str] = []

    async def open(self, deployment: Deployment, _request: ModelRequest) -> Any:
        self.called.append(deployment.name)


async def test_each_deployment_is_called_through_its_own_api() -> None:
    usual, other = Adapter(), Adapter()
    second = dataclasses.replace(CHAT, name="second", api="other")
    apis: Any = ModelApis({"chat-completions": usual, "other": other}, [CHAT, second])
    for deployment in (CHAT, second, CHAT):
        await apis.open(deployment, ModelRequest("t", (), 10))

    assert usual.called == [CHAT.name, CHAT.name]
    assert other.called == ["second"]


def test_a_deployment_with_an_unknown_api_stops_the_start_and_says_which_there_are() -> None:
    strange = dataclasses.replace(CHAT, api="telepathy")
    known: Any = {"chat-completions": Adapter()}

    with pytest.raises(SettingsError, match=r"chat has the api 'telepathy'; choose one of chat-completions"):
        ModelApis(known, [strange])
    ModelApis(known, [dataclasses.replace(strange, kind="embeddings")])
