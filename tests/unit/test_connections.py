"""In Azure models are called with tokens of the app's identity; one that gives none is a fault that passes."""

from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.connections import Connections
from shared.errors import Unavailable
from shared.settings import Settings
from tests.app_imports import APP_SETTINGS


class Identity:
    """A credential that can be out of order."""

    def __init__(self, *, works: bool) -> None:
        self.works, self.asked = works, list[str]()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked += scopes
        if not self.works:
            raise ClientAuthenticationError("No managed identity endpoint found.")
        return AccessToken("a-token", 4_000_000_000)

    async def close(self) -> None:
        pass


def connections_of(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> Connections:
    monkeypatch.setattr("shared.connections.credential", lambda _settings: identity)
    return Connections(
        Settings.from_environment({name: value for name, value in APP_SETTINGS.items() if "OPENAI_KEY" not in name})
    )


async def test_the_models_token_is_fetched_ahead_once(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = Identity(works=True)
    connections = connections_of(identity, monkeypatch)
    await connections.sign_in_to_models()
    await connections.sign_in_to_models()
    await connections.close()

    assert identity.asked == ["https://ai.azure.com/.default"]


async def test_an_identity_that_gives_no_token_makes_the_models_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    connections = connections_of(Identity(works=False), monkeypatch)
    with pytest.raises(Unavailable, match="The identity gives no token for the models"):
        await connections.sign_in_to_models()
    await connections.close()


async def test_with_a_key_there_is_nothing_to_fetch() -> None:
    connections = Connections(Settings.from_environment(APP_SETTINGS))
    await connections.sign_in_to_models()
    await connections.close()
