import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.contract.host.conftest import APPS
from tests.processes import Service, running

KEYS = {"master": "the-master", "default": "the-default", "functions": {"shapes": {"default": "for-shapes"}}}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("keys")
    (folder / "keys.json").write_text(json.dumps(KEYS))
    app = ("--app", str(APPS / "http_streaming"), "--keys", str(folder / "keys.json"))
    with running("local.host", *app, "--port", "0", folder=folder) as service:
        yield service


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/instance", None, 200),
        ("/api/instance", "wrong", 200),
        ("/api/shapes/plain", None, 401),
        ("/api/shapes/plain", "", 401),
        ("/api/shapes/plain", "wrong", 401),
        ("/api/shapes/plain", "schl\u00fcssel", 401),
        ("/api/shapes/plain", "for-shapes", 200),
        ("/api/shapes/plain", "the-default", 200),
        ("/api/shapes/plain", "the-master", 200),
        ("/api/zoo/lion", "for-shapes", 401),
        ("/api/manage", "the-default", 401),
        ("/api/manage", "the-master", 200),
        ("/admin/functions/shapes", "the-default", 401),
        ("/admin/functions/none", "the-master", 404),
        ("/api/nothing/here", None, 404),
    ],
)
@pytest.mark.parametrize("place", ["header", "query"])
def test_a_key_opens_what_its_level_allows(host: Service, path: str, key: str | None, status: int, place: str) -> None:
    headers = {"x-functions-key": key.encode()} if key is not None and place == "header" else {}
    params = {"code": key} if key is not None and place == "query" else {}
    response = httpx2.get(host.url + path, headers=headers, params=params)
    assert response.status_code == status
    if status == 401:
        assert response.content == b""


def test_the_header_wins_over_the_query(host: Service) -> None:
    headers = {"x-functions-key": "wrong"}
    response = httpx2.get(f"{host.url}/api/shapes/plain?code=the-master", headers=headers)
    assert response.status_code == 401
