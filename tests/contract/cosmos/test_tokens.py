"""https with a self-made certificate, and bearer tokens where they are allowed."""

import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.cosmos import CosmosClient, PartitionKey
from azure.cosmos.exceptions import CosmosHttpResponseError

from tests.contract.cosmos.raw import KEY
from tests.processes import Service, running

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def _encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(**claims: Any) -> str:
    """A token with a signature that nobody made."""
    body = {"aud": "https://localhost", "exp": time.time() + 600, **claims}
    return ".".join((_encoded({"alg": "RS256", "typ": "JWT"}), _encoded(body), _encoded(b"signature")))


class Credential:
    """Hands out one token."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self._text, int(time.time()) + 600)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("secure")
    with running(
        "local.cosmos", "--port", "0", "--https", "--accept-tokens", "--data", str(folder), folder=folder
    ) as service:
        yield service


def test_a_token_credential_works_over_https(secure: Service) -> None:
    with CosmosClient(f"https://localhost:{secure.port}", Credential(token())) as client:
        client.create_database_if_not_exists("tokens")
        assert "tokens" in [database["id"] for database in client.list_databases()]


def test_the_key_works_over_https_too(secure: Service) -> None:
    with CosmosClient(secure.url, KEY) as client:
        container = client.create_database_if_not_exists("keys").create_container("c", PartitionKey(path="/pk"))
        assert container.create_item({"id": "a", "pk": "p"})["id"] == "a"


@pytest.mark.parametrize(
    "text",
    [
        "not-a-token",
        "a.b.c",
        token(exp=time.time() - 10),
        token(exp="soon"),
        token(nbf=time.time() + 3600),
        token(aud="https://storage.azure.com"),
        token().rsplit(".", 1)[0] + ".",
        ".".join((_encoded({"alg": "none"}), *token().split(".")[1:])),
    ],
)
def test_a_token_that_is_malformed_expired_or_meant_for_others_is_401(secure: Service, text: str) -> None:
    with pytest.raises(CosmosHttpResponseError) as refused:
        CosmosClient(f"https://localhost:{secure.port}", Credential(text))
    assert refused.value.status_code == 401


def test_the_certificate_is_kept_with_the_data_and_names_loopback(secure: Service) -> None:
    folder = Path(secure.log).parent
    context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(urllib.error.HTTPError) as answered:
            urllib.request.urlopen(f"https://{host}:{secure.port}/", context=context, timeout=10)
        with answered.value:
            assert answered.value.code == 401
    assert (folder / "private-key.pem").stat().st_mode & 0o077 == 0
